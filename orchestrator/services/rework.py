"""Rework: work goes back to an earlier step and everything after it is done again (FR-021, AS-6)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import MissingReason, WrongState
from orchestrator.core.lifecycles import resting_status
from orchestrator.core.rework import to_redo
from orchestrator.core.terms import AttemptStatus, EventType, Role, TaskStatus
from orchestrator.models import Attempt, Task, Workstream
from orchestrator.queries.snapshot import load_snapshot
from orchestrator.services.actor import Actor
from orchestrator.services.artifacts import announce
from orchestrator.services.history import record
from orchestrator.services.interventions import close_artifact_card
from orchestrator.services.locks import locked_task
from orchestrator.services.progress import recount
from orchestrator.services.wake import wake


def send_back(*, task_id: int, reason: str, actor: Actor, now: datetime) -> tuple[str, ...]:
    """Return work to a task; it and everything after it become pending again. Answers with the keys, in order."""
    actor.require(Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER)
    if not reason.strip():
        raise MissingReason("Work goes back with a reason.", field="reason")
    with transaction.atomic():
        task = locked_task(task_id)
        keys = redo_from(task=task, reason=reason, actor=actor, now=now)
        wake(task.workstream_id)
    return keys


def redo_from(*, task: Task, reason: str, actor: Actor, now: datetime) -> tuple[str, ...]:
    """The part of a send-back that gates share; the caller holds the workstream's lock and wakes the scheduler."""
    workstream = task.workstream
    loaded = load_snapshot(workstream)
    keys = to_redo(loaded.snapshot.tasks, task.step.key)
    touched = [loaded.tasks[key] for key in keys]
    _refuse_running(workstream, touched)
    last = task.attempts.filter(status=AttemptStatus.COMPLETED).order_by("-number").first()
    if last is None:
        raise WrongState(f"{task.step.key} has not been completed, so nothing can go back to it.")
    redone = [t for t in touched if t.status != TaskStatus.PENDING or t.attempts.exists()]
    for one in redone:
        one.workstream = workstream
        _reset(one, now)
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
        action="work sent back",
        subject=f"{task.step.key}",
        reason=reason,
        now=now,
        data={"became": {one.step.key: one.status for one in redone}},
    )
    recount(workstream, now)
    return tuple(one.step.key for one in redone)


def _refuse_running(workstream: Workstream, tasks: Sequence[Task]) -> None:
    """A running step is not pre-empted; whoever wants it stopped declares its failure."""
    running = Attempt.objects.filter(task__in=tasks, status=AttemptStatus.RUNNING).select_related(
        "task__step", "assignment__executor"
    )
    if first := running.first():
        raise WrongState(
            f"{first.task.step.key} is running on {first.assignment.executor.name} and builds on that step.",
            recovery="Wait for it to end, or declare its attempt failed, then send the work back.",
            workstream=str(workstream.uuid),
        )


def _reset(task: Task, now: datetime) -> None:
    task.attempts.filter(status=AttemptStatus.QUEUED).update(status=AttemptStatus.CANCELLED, ended_at=now)
    task.attempts.filter(status=AttemptStatus.FAILED, followed_up_at=None).update(followed_up_at=now)
    task.forgive_failures()
    close_artifact_card(task, "The step is done again.", now)
    was_complete = task.status == TaskStatus.COMPLETE
    task.status = _status_again(task)
    task.rework += int(was_complete)
    task.updated_at = now
    task.save(update_fields=["status", "rework", "forgiven", "needs_human", "intervention_note", "updated_at"])


def _status_again(task: Task) -> TaskStatus:
    """A blocker outlives the result it stood beside: the work is done again when it is resolved."""
    blocked = task.blockers.filter(resolved_at=None).exists()
    return resting_status(gate=task.step.is_gate, live=None, failed=False, blocked=blocked)
