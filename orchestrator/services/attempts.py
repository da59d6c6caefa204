"""Attempts: claim, report, complete, fail, re-queue (FR-027, design section 4)."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import (
    AlreadyClaimed,
    CriteriaUnmet,
    ExecutorBusy,
    MissingReason,
    NotFound,
    StaleToken,
    WrongState,
)
from orchestrator.core.terms import ArtifactState, AttemptStatus, CriterionKind, EventType, Role, TaskStatus
from orchestrator.models import Assignment, Attempt, Blocker, CriterionCheck, Executor
from orchestrator.services.actor import Actor
from orchestrator.services.artifacts import announce
from orchestrator.services.history import record
from orchestrator.services.locks import locked_task
from orchestrator.services.progress import settle
from orchestrator.services.wake import wake


def claim(*, attempt_id: int, executor: Executor, actor: Actor, now: datetime) -> Assignment:
    """Give a queued attempt to one executor, with a fencing token higher than any before it.

    Locks the workstream, then the executor. AlreadyClaimed names the holder; ExecutorBusy names what it runs.
    """
    actor.require(Role.CONTRIBUTOR)
    with transaction.atomic():
        attempt = _locked_attempt(attempt_id)
        _refuse_unclaimable(attempt)
        _refuse_busy(executor)
        task = attempt.task
        _move(attempt, AttemptStatus.QUEUED, AttemptStatus.RUNNING, started_at=now)
        task.last_token += 1
        task.status = TaskStatus.ACTIVE
        assignment = Assignment.objects.create(
            attempt=attempt, executor=executor, token=task.last_token, claimed_at=now
        )
        task.workstream.started_at = task.workstream.started_at or now
        announce(
            attempt=attempt,
            event=EventType.ATTEMPT_STARTED,
            actor=actor,
            outcome=f"Claimed by {executor.name}.",
            next_action="Do the step and prove its exit criteria.",
            now=now,
        )
        _record(attempt, actor, "attempt claimed", now, data={"executor": executor.name, "token": task.last_token})
        settle(task, now)
        wake(task.workstream_id)
    return assignment


def report(*, attempt_id: int, token: int, executor: Executor, breadcrumb: str, now: datetime) -> None:
    """Leave a breadcrumb: the last action, for whoever continues (WF-8)."""
    if not breadcrumb.strip():
        raise MissingReason("A breadcrumb says what was done last.", field="breadcrumb")
    with transaction.atomic():
        attempt = _held_attempt(attempt_id, token, executor)
        attempt.task.breadcrumb = breadcrumb
        _record(attempt, Actor.member(executor), "breadcrumb left", now, reason=breadcrumb)
        settle(attempt.task, now)


def complete(
    *,
    attempt_id: int,
    token: int,
    executor: Executor,
    outcome: str,
    evidence: Mapping[int, str],
    now: datetime,
    outputs: Mapping[str, bytes] | None = None,
    commit: str = "",
) -> Attempt:
    """Finish an attempt: every exit criterion with evidence, its outputs, and the artifact that hands it over (AS-7).

    `evidence` maps criterion ids to texts, `outputs` relative file names to contents. Raises CriteriaUnmet with what
    is missing, StaleToken when the claim is no longer the caller's; what was sent is then kept as evidence.
    """
    actor = Actor.member(executor)
    with transaction.atomic():
        attempt = _locked_attempt(attempt_id)
        stale = _staleness(attempt, token, executor)
        if stale:
            _quarantine(attempt, actor, outcome, outputs or {}, now)
        else:
            _refuse_held_up(attempt)
            _check_criteria(attempt, evidence, actor, now)
            attempt.outcome, attempt.commit = outcome, commit
            attempt.save(update_fields=["outcome", "commit"])
            _hand_over(attempt, actor, outputs or {}, now)
    if stale:
        raise stale
    return attempt


def _hand_over(attempt: Attempt, actor: Actor, outputs: Mapping[str, bytes], now: datetime) -> None:
    _end(attempt, AttemptStatus.COMPLETED, now)
    attempt.task.status = TaskStatus.COMPLETE
    announce(
        attempt=attempt,
        event=EventType.ATTEMPT_COMPLETED,
        actor=actor,
        outcome=attempt.outcome,
        next_action="Successors may start.",
        now=now,
        outputs=outputs,
    )
    _record(attempt, actor, "attempt completed", now, reason=attempt.outcome, data={"commit": attempt.commit})
    settle(attempt.task, now)
    wake(attempt.task.workstream_id)


def _quarantine(attempt: Attempt, actor: Actor, outcome: str, outputs: Mapping[str, bytes], now: datetime) -> None:
    """Keep what a stale claim sent, never applied and never committed (F26)."""
    announce(
        attempt=attempt,
        event=EventType.ATTEMPT_COMPLETED,
        actor=actor,
        outcome=outcome,
        next_action="None: the claim had ended. Kept as evidence.",
        now=now,
        outputs=outputs,
        state=ArtifactState.QUARANTINED,
    )
    _record(attempt, actor, "stale result quarantined", now, reason=outcome)


def fail(*, attempt_id: int, token: int, executor: Executor, error: str, now: datetime) -> Attempt:
    """The executor declares its own attempt failed; the task waits until a person re-queues it (EC-6)."""
    with transaction.atomic():
        attempt = _held_attempt(attempt_id, token, executor)
        _fail(attempt, Actor.member(executor), error, now)
    return attempt


def declare_failure(*, attempt_id: int, reason: str, actor: Actor, now: datetime) -> Attempt:
    """A person declares that a running attempt will not finish, for example because its executor died (F9)."""
    actor.require(Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER)
    if not reason.strip():
        raise MissingReason("Say why the attempt is declared failed.", field="reason")
    with transaction.atomic():
        attempt = _locked_attempt(attempt_id)
        if attempt.status != AttemptStatus.RUNNING:
            raise WrongState(f"{attempt} is {attempt.status}, not running.")
        _fail(attempt, actor, reason, now)
    return attempt


def requeue(*, task_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Let the scheduler launch a new attempt after a failure; earlier attempts stay as they are (FR-027)."""
    actor.require(Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER)
    if not reason.strip():
        raise MissingReason("Say why another attempt is worth it.", field="reason")
    with transaction.atomic():
        task = locked_task(task_id)
        last = task.attempts.order_by("-number").first()
        if last is None or last.status != AttemptStatus.FAILED or last.followed_up_at is not None:
            raise WrongState(f"{task.step.key} has no failed attempt to follow up.")
        last.followed_up_at = now
        last.save(update_fields=["followed_up_at"])
        task.status = TaskStatus.BLOCKED if _blocked(last) else TaskStatus.PENDING
        _record(last, actor, "task re-queued", now, reason=reason, data={"status": task.status})
        settle(task, now)
        wake(task.workstream_id)


def _locked_attempt(attempt_id: int) -> Attempt:
    task_id = Attempt.objects.filter(pk=attempt_id).values_list("task_id", flat=True).first()
    if task_id is None:
        raise NotFound("There is no such attempt.")
    task = locked_task(task_id)
    attempt = Attempt.objects.get(pk=attempt_id)
    attempt.task = task
    return attempt


def _held_attempt(attempt_id: int, token: int, executor: Executor) -> Attempt:
    """The locked attempt, if this executor holds it with this token."""
    attempt = _locked_attempt(attempt_id)
    if stale := _staleness(attempt, token, executor):
        raise stale
    return attempt


def _staleness(attempt: Attempt, token: int, executor: Executor) -> StaleToken | None:
    held = Assignment.objects.filter(attempt=attempt, executor=executor, token=token, released_at=None).exists()
    if held and attempt.status == AttemptStatus.RUNNING:
        return None
    return StaleToken(f"{executor.name} does not hold {attempt} with token {token}: it is {attempt.status}.")


def _refuse_unclaimable(attempt: Attempt) -> None:
    if attempt.task.step.is_gate:
        raise WrongState("A gate is signed by a person, not claimed.", recovery="Open the gate's page and decide.")
    if attempt.status == AttemptStatus.RUNNING:
        holder = Assignment.objects.select_related("executor").get(attempt=attempt)
        since = holder.claimed_at.isoformat(timespec="seconds")
        raise AlreadyClaimed(
            f"{attempt} is held by {holder.executor.name} since {since}.", holder=holder.executor.name, since=since
        )
    if attempt.status != AttemptStatus.QUEUED:
        raise WrongState(f"{attempt} is {attempt.status}; it can no longer be claimed.")
    if attempt.task.needs_human:
        raise WrongState("The task waits for a person.", recovery="Answer its intervention first.")
    if _blocked(attempt):
        raise WrongState("The task has an open blocker.", recovery="Resolve the blocker, then claim the attempt.")


def _refuse_busy(executor: Executor) -> None:
    Executor.objects.select_for_update().get(pk=executor.pk)
    running = executor.assignments.filter(released_at=None).select_related("attempt__task__step").first()
    if running is not None:
        raise ExecutorBusy(f"{executor.name} already runs {running.attempt}.", attempt=running.attempt_id)


def _blocked(attempt: Attempt) -> bool:
    return Blocker.objects.filter(task=attempt.task, resolved_at=None).exists()


def _refuse_held_up(attempt: Attempt) -> None:
    """Completing would leave a blocker or a question open behind it."""
    if _blocked(attempt):
        raise WrongState("The task has an open blocker.", recovery="Resolve the blocker, then complete the attempt.")
    if attempt.task.needs_human:
        raise WrongState(
            f"The task waits for a person: {attempt.task.intervention_note}",
            recovery="Have the intervention answered, then complete the attempt.",
        )


def _check_criteria(attempt: Attempt, evidence: Mapping[int, str], actor: Actor, now: datetime) -> None:
    criteria = list(attempt.task.step.criteria.filter(kind=CriterionKind.EXIT))
    missing = [c for c in criteria if not evidence.get(c.pk, "").strip()]
    if missing:
        names = "; ".join(c.text for c in missing)
        raise CriteriaUnmet(f"Without evidence: {names}.", criteria=", ".join(str(c.pk) for c in missing))
    CriterionCheck.objects.bulk_create(
        CriterionCheck(attempt=attempt, criterion=c, evidence=evidence[c.pk], checked_by=actor.account, checked_at=now)
        for c in criteria
    )


def _fail(attempt: Attempt, actor: Actor, error: str, now: datetime) -> None:
    attempt.error = error or "no reason given"
    attempt.save(update_fields=["error"])
    _end(attempt, AttemptStatus.FAILED, now)
    attempt.task.status = TaskStatus.BLOCKED
    announce(
        attempt=attempt,
        event=EventType.ATTEMPT_FAILED,
        actor=actor,
        outcome=attempt.error,
        next_action="Look at the error, then re-queue the task or send work back.",
        now=now,
    )
    _record(attempt, actor, "attempt failed", now, reason=attempt.error)
    settle(attempt.task, now)
    wake(attempt.task.workstream_id)


def _move(attempt: Attempt, old: AttemptStatus, new: AttemptStatus, **columns: object) -> None:
    """The conditional update that the unique constraints back up."""
    if Attempt.objects.filter(pk=attempt.pk, status=old).update(status=new, **columns) != 1:
        raise WrongState(f"{attempt} is no longer {old}.")
    attempt.refresh_from_db(fields=["status", *columns])


def _end(attempt: Attempt, state: AttemptStatus, now: datetime) -> None:
    _move(attempt, AttemptStatus.RUNNING, state, ended_at=now)
    Assignment.objects.filter(attempt=attempt).update(released_at=now, terminal_state=state)


def _record(
    attempt: Attempt,
    actor: Actor,
    action: str,
    now: datetime,
    reason: str = "",
    data: Mapping[str, object] | None = None,
) -> None:
    task = attempt.task
    record(
        workstream=task.workstream,
        actor=actor,
        action=action,
        subject=f"{task.step.key} attempt {attempt.number}",
        reason=reason,
        now=now,
        data={"attempt": attempt.pk, **(data or {})},
    )
