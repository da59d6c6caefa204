"""Threads: which executor works there, alone or first (WF-4)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import AlreadyDecided, AssignedElsewhere, InvalidInput, NotFound, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import AssignmentMode, Scope, WorkstreamStatus
from orchestrator.models import Executor, Thread, ThreadAssignment, Workstream
from orchestrator.queries.engine.threads import assignments_in_force, place_of
from orchestrator.queries.handoff.situation import Situation
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.decided import by_whom
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.progress import touch
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake


@act(
    roles=PARTICIPANTS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why the thread goes to that executor, or is free again."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.THREAD_ASSIGNED,),
)
def assign_thread(
    *, workstream_id: int, thread_id: int, executor: str, mode: str, reason: str, actor: Actor, now: datetime
) -> ThreadAssignment:
    """Keep a thread for the executor of that name. `assigned`: it alone claims there. `preferred`: it is
    offered the work first, and others while it runs something else.

    What another executor runs there already goes on. The assignment before it ends.
    """
    found, kind = _executor(executor), _mode(mode)
    with unit_of_work():
        workstream, thread = _locked(workstream_id, thread_id)
        before = assignments_in_force(workstream).get(place_of(thread))
        if before and (before.executor_id, before.mode) == (found.pk, kind):
            raise AlreadyDecided(
                f"{thread} is {kind} to {found.name} already, by {before.assigned_by}: {before.reason}",
                at=before.assigned_at.isoformat(),
            )
        if before:
            _end(before, now)
        assignment = ThreadAssignment.objects.create(
            workstream=workstream,
            thread=thread,
            executor=found,
            mode=kind,
            reason=reason.strip(),
            assigned_by=actor.label,
            assigned_at=now,
        )
        _record(Action.THREAD_ASSIGNED, workstream, thread, reason, actor, now, found.name, kind)
        _touch(workstream, now)
    return assignment


@act(
    roles=PARTICIPANTS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why the thread goes to that executor, or is free again."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.THREAD_UNASSIGNED,),
)
def unassign_thread(*, workstream_id: int, thread_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Let every executor claim in a thread again."""
    with unit_of_work():
        workstream, thread = _locked(workstream_id, thread_id)
        before = assignments_in_force(workstream).get(place_of(thread))
        if before is None:
            said = f"{thread} is assigned to nobody"
            raise by_whom(
                WrongState(f"{said}."),
                f"{said} any more",
                workstream=workstream,
                actions=[Action.THREAD_UNASSIGNED],
                subject=_named(thread),
            )
        _end(before, now)
        _record(
            Action.THREAD_UNASSIGNED,
            workstream,
            thread,
            reason,
            actor,
            now,
            before.executor.name,
            before.mode,
        )
        _touch(workstream, now)


def refuse_assigned_elsewhere(situation: Situation, executor: Executor) -> None:
    """AssignedElsewhere, naming it, when another executor alone claims in the task's thread."""
    if situation.sole_executor in {None, executor.pk}:
        return
    sole = Executor.objects.select_related("user").get(pk=situation.sole_executor)
    raise AssignedElsewhere(
        f"The thread {situation.step.thread} is assigned to {sole.label}.", executor=sole.name
    )


def _executor(name: str) -> Executor:
    executor = Executor.objects.filter(name=name.strip(), user__is_active=True).first()
    if executor is None:
        raise InvalidInput(f"There is no executor {name.strip()!r} with an active account.", field="executor")
    return executor


def _mode(mode: str) -> AssignmentMode:
    if mode not in set(AssignmentMode):
        raise InvalidInput(f"{mode!r} is no way to assign; use {' or '.join(AssignmentMode)}.", field="mode")
    return AssignmentMode(mode)


def _locked(workstream_id: int, thread_id: int) -> tuple[Workstream, Thread]:
    workstream = locked_workstream(workstream_id)
    if workstream.status != WorkstreamStatus.ACTIVE:
        raise WrongState(f"{workstream} is {workstream.status}; nobody claims there.")
    rows = Thread.objects.select_related("batch__stage")
    thread = rows.filter(pk=thread_id, batch__stage__version=workstream.version_id).first()
    if thread is None:
        raise NotFound("There is no such thread in this workstream.", field="thread")
    return workstream, thread


def _end(assignment: ThreadAssignment, now: datetime) -> None:
    assignment.ended_at = now
    assignment.save(update_fields=["ended_at"])


def _touch(workstream: Workstream, now: datetime) -> None:
    touch(workstream, now)
    wake(workstream.pk)


def _named(thread: Thread) -> str:
    """What history calls it."""
    return f"{thread.batch}, {thread}"


def _record(
    action: Action,
    workstream: Workstream,
    thread: Thread,
    reason: str,
    actor: Actor,
    now: datetime,
    executor: str,
    mode: str,
) -> None:
    record(
        workstream=workstream,
        actor=actor,
        action=action,
        subject=_named(thread),
        reason=reason,
        now=now,
        data={"thread": list(place_of(thread)), "executor": executor, "mode": mode},
    )
