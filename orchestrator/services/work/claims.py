"""Claims: an executor takes a queued attempt, alone, and says what it did last (FR-027, WF-8)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import AlreadyClaimed, ExecutorBusy, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import AttemptStatus, EventType, Scope, TaskStatus
from orchestrator.models import Assignment, Attempt, Executor
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.bounds import check_text, refuse_more_breadcrumbs
from orchestrator.services.base.locks import Lock, lock_executor
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.artifacts import announce
from orchestrator.services.handoff.commits import base_at_claim
from orchestrator.services.people.ownership import own_unowned
from orchestrator.services.people.threads import refuse_assigned_elsewhere
from orchestrator.services.work.attempts import (
    blocked,
    held_attempt,
    locked_attempt,
    move,
    record_attempt,
    refuse_held,
    require_doer,
)


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    only="the role that the step asks for",
    locks=(Lock.WORKSTREAM, Lock.EXECUTOR),
    records=(Action.ATTEMPT_CLAIMED,),
)
def claim(*, attempt_id: int, executor: Executor, actor: Actor, now: datetime) -> Assignment:
    """Give a queued attempt to one executor, with a fencing token higher than any before it.

    Who claims what they hold already, because the answer was lost, gets the same assignment, and nothing
    changes. Locks the workstream, then the executor. NotAllowed for who lacks the step's role; AlreadyClaimed
    names the holder; ExecutorBusy names what it runs; AssignedElsewhere names the executor that alone claims
    in the thread. A person who claims a task that nobody owns becomes its owner; otherwise a claim changes no
    owner (FR-011).
    """
    with unit_of_work():
        attempt = locked_attempt(attempt_id)
        require_doer(attempt, actor)
        if held := _held(attempt, executor):
            return held
        _refuse_unclaimable(attempt)
        refuse_assigned_elsewhere(attempt.task, executor)
        _refuse_busy(executor)
        task = attempt.task
        base = base_at_claim(task, attempt.number)
        move(attempt, AttemptStatus.QUEUED, AttemptStatus.RUNNING, started_at=now, base=base)
        task.last_token += 1
        task.status = TaskStatus.ACTIVE
        assignment = Assignment.objects.create(
            attempt=attempt,
            executor=executor,
            claimed_as=actor.label,
            token=task.last_token,
            claimed_at=now,
        )
        task.workstream.started_at = task.workstream.started_at or now
        announce(
            attempt=attempt,
            event=EventType.ATTEMPT_STARTED,
            actor=actor,
            outcome=f"Claimed by {actor.label}.",
            next_action="Do the step and prove its exit criteria.",
            now=now,
        )
        data = {"executor": executor.name, "token": task.last_token}
        record_attempt(attempt, actor, Action.ATTEMPT_CLAIMED, now, data=data)
        own_unowned(task, executor, actor, now)
        settle(task, now)
        wake(task.workstream_id)
    return assignment


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=why("breadcrumb", "A breadcrumb says what was done last."),
    only="who holds the attempt, with the role that the step asks for",
    locks=(Lock.WORKSTREAM,),
    records=(Action.BREADCRUMB_LEFT,),
)
def report(
    *,
    attempt_id: int,
    token: int,
    executor: Executor,
    breadcrumb: str,
    now: datetime,
    actor: Actor | None = None,
) -> None:
    """Leave a breadcrumb: the last action, for whoever continues (WF-8). `actor` as in
    `completions.complete`.
    """
    check_text(breadcrumb, "breadcrumb")
    with unit_of_work():
        attempt = held_attempt(attempt_id, token, executor)
        refuse_more_breadcrumbs(attempt)
        attempt.task.breadcrumb = breadcrumb
        worker = actor or Actor.member(executor)
        record_attempt(attempt, worker, Action.BREADCRUMB_LEFT, now, reason=breadcrumb)
        settle(attempt.task, now)


def _held(attempt: Attempt, executor: Executor) -> Assignment | None:
    """The claim that this executor has on a running attempt, if it is the one that has it."""
    held = Assignment.objects.filter(attempt=attempt, executor=executor, released_at=None).first()
    if held is not None:
        held.attempt = attempt
    return held


def _refuse_unclaimable(attempt: Attempt) -> None:
    if attempt.task.step.is_gate:
        raise WrongState(
            "A gate is signed by a person, not claimed.", recovery="Open the gate's page and decide."
        )
    if attempt.status == AttemptStatus.RUNNING:
        holder = Assignment.objects.select_related("executor").get(attempt=attempt)
        since = holder.claimed_at.isoformat(timespec="seconds")
        raise AlreadyClaimed(
            f"{attempt} is held by {holder.claimed_as} since {since}.",
            holder=holder.executor.name,
            since=since,
        )
    if attempt.status != AttemptStatus.QUEUED:
        raise WrongState(f"{attempt} is {attempt.status}; it can no longer be claimed.")
    if attempt.task.needs_human:
        raise WrongState("The task waits for a person.", recovery="Answer its intervention first.")
    if blocked(attempt):
        raise WrongState(
            "The task has an open blocker.", recovery="Resolve the blocker, then claim the attempt."
        )
    refuse_held(attempt.task)


def _refuse_busy(executor: Executor) -> None:
    lock_executor(executor.pk)
    running = executor.assignments.filter(released_at=None).select_related("attempt__task__step").first()
    if running is not None:
        raise ExecutorBusy(f"{executor.name} already runs {running.attempt}.", attempt=running.attempt_id)
