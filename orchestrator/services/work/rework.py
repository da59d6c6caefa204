"""Rework: work goes back to an earlier step and everything after it is done again (FR-021, AS-6)."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Max

from orchestrator.core.actions import Action
from orchestrator.core.engine.lifecycles import resting_status
from orchestrator.core.engine.rework import to_redo
from orchestrator.core.errors import Refusal, WrongState
from orchestrator.core.people.roles import WORKERS
from orchestrator.core.terms import AttemptStatus, EventType, Scope, TaskStatus
from orchestrator.models import Attempt, Blocker, Task, Workstream
from orchestrator.queries.engine.snapshot import load_snapshot
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record, tells, tells_of
from orchestrator.services.base.locks import Lock, locked_task
from orchestrator.services.base.progress import count_back_move, recount
from orchestrator.services.base.rows import changed
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.artifacts import announce
from orchestrator.services.handoff.baseline import refuse_integrated
from orchestrator.services.people.interventions import close_artifact_card


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    reason=why("reason", "Work goes back with a reason."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.WORK_SENT_BACK, Action.INTERVENTION_DONE),
)
def send_back(*, task_id: int, reason: str, actor: Actor, now: datetime) -> tuple[str, ...]:
    """Return work to a task; it and everything after it become pending again.

    Answers with the keys, in order.
    """
    with unit_of_work():
        task = locked_task(task_id)
        keys = redo_from(task=task, reason=reason, actor=actor, now=now)
        wake(task.workstream_id)
    return keys


def why_not_send_back(task: Task, actor: Actor, *, completed: bool) -> Refusal | None:
    """Why this actor may not send work back to the task; `completed` says that an attempt of it ever was.

    An integration in force is another reason (`baseline.why_integrated`).
    """
    if refusal := send_back.why_not(actor):
        return refusal
    return None if completed else _never_completed(task)


def _never_completed(task: Task) -> WrongState:
    return WrongState(f"{task.step.key} has not been completed, so nothing can go back to it.")


def redo_from(*, task: Task, reason: str, actor: Actor, now: datetime) -> tuple[str, ...]:
    """The part of a send-back that gates share; the caller holds the workstream's lock and wakes the
    scheduler.

    Raises BaselineIntegrated behind an integration, WrongState while one of the steps runs or when there is
    no result to do again.
    """
    workstream = task.workstream
    touched, last = what_to_redo(task)
    again = _reset(workstream, touched, now)
    last.task = task
    announce(
        attempt=last,
        event=EventType.REWORK_REQUESTED,
        actor=actor,
        outcome=reason,
        next_action=f"Do {task.step.key} again, then everything after it.",
        now=now,
    )
    record(
        workstream=workstream,
        actor=actor,
        action=Action.WORK_SENT_BACK,
        subject=f"{task.step.key}",
        reason=reason,
        now=now,
        data={"became": {one.step.key: one.status for one in again}},
    )
    recount(workstream, now)
    return tuple(one.step.key for one in again)


def what_to_redo(task: Task) -> tuple[list[Task], Attempt]:
    """The tasks that begin again when work goes back to this one, in order, and its last result. Refused as
    `redo_from` says, and nothing is changed."""
    workstream = task.workstream
    refuse_integrated(workstream)
    loaded = load_snapshot(workstream)
    touched = [loaded.tasks[key] for key in to_redo(loaded.snapshot.tasks, task.step.key)]
    _refuse_running(workstream, touched)
    last = task.attempts.filter(status=AttemptStatus.COMPLETED).order_by("-number").first()
    if last is None:
        raise _never_completed(task)
    return touched, last


def _refuse_running(workstream: Workstream, tasks: Sequence[Task]) -> None:
    """A running step is not pre-empted; whoever wants it stopped declares its failure."""
    running = Attempt.objects.filter(task__in=tasks, status=AttemptStatus.RUNNING).select_related(
        "task__step", "assignment__executor"
    )
    if first := running.first():
        raise WrongState(
            f"{first.task.step.key} is running on {first.assignment.claimed_as} and builds on that step.",
            recovery="Wait for it to end, or declare its attempt failed, then send the work back.",
            workstream=str(workstream.uuid),
        )


def _untouched(task: Task) -> bool:
    """Nothing was done of it, or its source had dropped it: no round ever skipped it, so none would again.

    Requirements: WF-8.
    """
    dropped = task.status == TaskStatus.SKIPPED and task.verdict_id is None
    return dropped or task.status in {TaskStatus.PENDING, TaskStatus.CANCELLED}


def _reset(workstream: Workstream, tasks: Sequence[Task], now: datetime) -> list[Task]:
    """Make the tasks pending again, or blocked while a blocker is open; answers with those that were not
    untouched.

    Rework is counted where a completed result is thrown away: a task that never got so far has nothing to do
    again.
    """
    begun = Attempt.objects.filter(task__in=tasks)
    queued = begun.filter(status=AttemptStatus.QUEUED)
    launched = set(queued.values_list("task_id", flat=True))
    tells_of(Attempt, changed(queued, status=AttemptStatus.CANCELLED, ended_at=now), ended_at=now)
    failed = begun.filter(status=AttemptStatus.FAILED, followed_up_at=None)
    tells_of(Attempt, changed(failed, followed_up_at=now), followed_up_at=now)
    blocked = set(Blocker.objects.filter(task__in=tasks, resolved_at=None).values_list("task_id", flat=True))
    redone = [t for t in tasks if t.pk in launched or not _untouched(t)]
    latest = dict(
        begun.order_by().values("task_id").annotate(last=Max("number")).values_list("task_id", "last")
    )
    count_back_move(workstream, sum(task.status == TaskStatus.COMPLETE for task in redone))
    for task in redone:
        task.workstream = workstream
        task.forgiven = latest.get(task.pk, 0)
        task.rework += int(task.status == TaskStatus.COMPLETE)
        task.status = resting_status(
            gate=task.step.is_gate, live=None, failed=False, blocked=task.pk in blocked
        )
        task.updated_at = now
        if task.needs_human:
            close_artifact_card(task, "The step is done again.", now)
    columns = ["status", "rework", "forgiven", "needs_human", "intervention_note", "updated_at"]
    Task.objects.bulk_update(redone, columns, batch_size=500)
    for task in redone:
        tells(task, "forgiven")
    return redone
