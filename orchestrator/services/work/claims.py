"""Claims: an executor takes a queued attempt, alone, and says what it did last (FR-027, WF-8)."""

from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError

from orchestrator.core.actions import Action
from orchestrator.core.engine.budgets import BudgetSpent
from orchestrator.core.engine.usage import NOTHING, Usage
from orchestrator.core.errors import AlreadyClaimed, ExecutorBusy, Refusal, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import AttemptStatus, EventType, Scope, TaskStatus
from orchestrator.models import Assignment, Attempt, Executor
from orchestrator.queries.handoff.situation import Situation
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.bounds import check_text, refuse_more_breadcrumbs
from orchestrator.services.base.history import speaks_of, tells_of
from orchestrator.services.base.locks import Lock, take
from orchestrator.services.base.progress import settle
from orchestrator.services.base.rows import InsertRow, UpdateWhere
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff.artifacts import announce
from orchestrator.services.handoff.commits import base_at_claim
from orchestrator.services.handoff.state_files import leave_behind
from orchestrator.services.people.ownership import own_unowned
from orchestrator.services.people.threads import refuse_assigned_elsewhere
from orchestrator.services.work.attempts import (
    held_attempt,
    locked_attempt,
    move,
    record_attempt,
    refuse_unsuited,
    require_doer,
    why_held,
    why_not_do,
)
from orchestrator.services.work.places import after_claim, place_told
from orchestrator.services.work.silence import heard
from orchestrator.services.work.spending import judge_budgets
from orchestrator.services.work.usage import told, used_by


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    only="the role that the step asks for",
    locks=(Lock.WORKSTREAM, Lock.EXECUTOR),
    records=(Action.ATTEMPT_CLAIMED, Action.OWNERSHIP_TRANSFERRED),
)
def claim(
    *, attempt_id: int, executor: Executor, actor: Actor, now: datetime, runs: Collection[str] = ()
) -> Assignment:
    """Give a queued attempt to one executor, with a fencing token higher than any before it.

    Who claims what they hold already, because the answer was lost, gets the same assignment, and nothing
    changes. Locks the workstream, then the executor. NotAllowed for who lacks the step's role; WrongExecutor
    for an agent where a tool does the step that is not among those it `runs`; AlreadyClaimed names
    the holder; ExecutorBusy names what an agent or a tool runs already, people may hold several;
    AssignedElsewhere names the executor that alone claims in the thread. A person who claims a task that
    nobody owns becomes its owner; otherwise a claim changes no owner (FR-011).
    """
    try:
        with unit_of_work():
            assignment = _claim(attempt_id, executor, actor, now, runs)
    except IntegrityError:
        # Two claims of one executor met, in two workstreams: the database lets one of them through.
        _refuse_busy(
            executor, executor.assignments.filter(released_at=None).values_list("attempt", flat=True).first()
        )
        raise
    after_claim(assignment.attempt, now)
    return assignment


def _claim(
    attempt_id: int, executor: Executor, actor: Actor, now: datetime, runs: Collection[str]
) -> Assignment:
    situation = locked_attempt(attempt_id, executor)
    attempt, task = situation.attempt, situation.task
    require_doer(attempt, actor)
    if held := _held(situation, executor):
        return held
    refuse_unsuited(attempt, executor, runs)
    if refusal := why_not_claim(
        attempt, situation.assignment, actor, blocked=situation.blocked, lost=situation.lost
    ):
        raise refusal
    refuse_assigned_elsewhere(situation, executor)
    _refuse_busy(executor, situation.busy_with)
    base = base_at_claim(task, attempt.number)
    task.last_token += 1
    task.status, task.heard_at = TaskStatus.ACTIVE, now
    task.workstream.started_at = task.workstream.started_at or now
    move(attempt, AttemptStatus.QUEUED, AttemptStatus.RUNNING, started_at=now, base=base)
    assignment = _assign(attempt, executor, actor, now)
    announce(
        attempt=attempt,
        event=EventType.ATTEMPT_STARTED,
        actor=actor,
        outcome=f"Claimed by {actor.label}.",
        next_action="Do the step and prove its exit criteria.",
        now=now,
        situation=situation,
    )
    attempt.base = base
    data = {"executor": executor.name, "token": task.last_token, **place_told(attempt)}
    record_attempt(attempt, actor, Action.ATTEMPT_CLAIMED, now, data=data)
    own_unowned(task, executor, actor, now)
    settle(task, now)
    leave_behind(task.workstream_id)
    return assignment


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=why("breadcrumb", "A breadcrumb says what was done last."),
    only="who holds the attempt, with the role that the step asks for",
    locks=(Lock.WORKSTREAM,),
    records=(Action.BREADCRUMB_LEFT, Action.FLAGGED_FOR_HUMAN, Action.INTERVENTION_DONE),
)
def report(
    *,
    attempt_id: int,
    token: int,
    executor: Executor,
    breadcrumb: str,
    now: datetime,
    actor: Actor | None = None,
    usage: Usage = NOTHING,
) -> None:
    """Leave a breadcrumb: the last action, for whoever continues (WF-8). `usage` is what was used since the
    word before. `actor` as in `completions.complete`."""
    check_text(breadcrumb, "breadcrumb")
    actor = actor or Actor.member(executor)
    with unit_of_work():
        attempt = held_attempt(attempt_id, token, executor, actor).attempt
        refuse_more_breadcrumbs(attempt)
        attempt.task.breadcrumb = breadcrumb
        heard(attempt.task, actor, now)
        if used := used_by(attempt, usage, now):
            _USED({"id": attempt.pk}, **used)
            tells_of(Attempt, [attempt.pk], **used)
        record_attempt(attempt, actor, Action.BREADCRUMB_LEFT, now, reason=breadcrumb, data=told(usage))
        judge_budgets(attempt.task, usage, now)
        settle(attempt.task, now)


def _held(situation: Situation, executor: Executor) -> Assignment | None:
    """The claim that this executor has on a running attempt, if it is the one that has it."""
    held = situation.assignment
    if held is None or held.released_at is not None or held.executor_id != executor.pk:
        return None
    held.executor = executor
    return held


def _assign(attempt: Attempt, executor: Executor, actor: Actor, now: datetime) -> Assignment:
    """One claim at a time of one member of the pool: a second one waits here for the first one's
    transaction."""
    take(Lock.EXECUTOR, executor.pk)
    assignment = Assignment(
        attempt=attempt,
        executor=executor,
        claimed_as=actor.label,
        token=attempt.task.last_token,
        alone=not executor.is_person,
        claimed_at=now,
    )
    _INSERT(assignment)
    speaks_of(assignment)
    return assignment


_INSERT, _USED = InsertRow(Assignment), UpdateWhere(Attempt)


def why_not_claim(
    attempt: Attempt, holder: Assignment | None, actor: Actor, *, blocked: bool, lost: bool
) -> Refusal | None:
    """Why this actor may not claim the attempt, which `holder` has or had; asks no database unless a handover
    before it is `lost`. Which executor claims is another matter: its thread may be another's."""
    task = attempt.task
    if refusal := claim.why_not(actor) or why_not_do(task, actor):
        return refusal
    if task.step.is_gate:
        return WrongState(
            "A gate is signed by a person, not claimed.", recovery="Open the gate's page and decide."
        )
    if attempt.status == AttemptStatus.RUNNING and holder is not None:
        since = holder.claimed_at.isoformat(timespec="seconds")
        return AlreadyClaimed(
            f"{attempt} is held by {holder.claimed_as} since {since}.",
            holder=holder.executor.name,
            since=since,
        )
    if attempt.status != AttemptStatus.QUEUED:
        return WrongState(f"{attempt} is {attempt.status}; it can no longer be claimed.")
    if gone := task.workstream.over_budget:
        return BudgetSpent(f"The budget of the plan is used up: {gone}.")
    if task.needs_human:
        return WrongState("The task waits for a person.", recovery="Answer its intervention first.")
    if blocked:
        return WrongState(
            "The task has an open blocker.", recovery="Resolve the blocker, then claim the attempt."
        )
    return why_held(task, lost=lost)


def _refuse_busy(executor: Executor, running: int | None) -> None:
    """ExecutorBusy, naming the attempt with this id, which the executor runs; people may hold several."""
    if running is not None and not executor.is_person:
        attempt = Attempt.objects.select_related("task__step").get(pk=running)
        raise ExecutorBusy(f"{executor.name} already runs {attempt}.", attempt=attempt.pk)
