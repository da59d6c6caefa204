"""Failures: declared by the executor or by a person.

Another attempt is asked for explicitly (EC-6, FR-027).
"""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.usage import NOTHING, Usage
from orchestrator.core.errors import Refusal, WrongState
from orchestrator.core.people.roles import PARTICIPANTS, WORKERS
from orchestrator.core.terms import AttemptStatus, EventType, Scope, TaskStatus
from orchestrator.models import Attempt, Executor, Task
from orchestrator.queries.handoff.situation import Situation
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.bounds import check_text
from orchestrator.services.base.decided import by_whom
from orchestrator.services.base.locks import Lock, locked_task
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.artifacts import announce
from orchestrator.services.work.attempts import blocked, end, held_attempt, locked_attempt, record_attempt
from orchestrator.services.work.breakers import refuse_open_breaker, trip_breaker
from orchestrator.services.work.places import place_told
from orchestrator.services.work.silence import answer_silence, heard
from orchestrator.services.work.spending import ask_on, judge_budgets, overtake_budget
from orchestrator.services.work.usage import told, used_by

#: How an attempt ends.
ENDINGS = (Action.ATTEMPT_COMPLETED, Action.ATTEMPT_FAILED, Action.ATTEMPT_RELEASED)


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=why("error", "Say what went wrong.", recovery="Write what the next person needs to know."),
    only="who holds the attempt, with the role that the step asks for",
    locks=(Lock.WORKSTREAM,),
    records=(Action.ATTEMPT_FAILED, Action.FLAGGED_FOR_HUMAN, Action.INTERVENTION_DONE),
)
def fail(
    *,
    attempt_id: int,
    token: int,
    executor: Executor,
    error: str,
    now: datetime,
    actor: Actor | None = None,
    usage: Usage = NOTHING,
) -> Attempt:
    """The executor declares its own attempt failed; the task waits until a person re-queues it (EC-6).

    The failure may trip the circuit breaker: then a person has to answer before anybody can re-queue.
    `usage` as in `claims.report`, `actor` as in `completions.complete`.
    """
    check_text(error, "error")
    actor = actor or Actor.member(executor)
    with unit_of_work():
        situation = held_attempt(attempt_id, token, executor, actor)
        heard(situation.task, actor, now)
        _fail(situation, actor, error, now, usage)
    return situation.attempt


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    reason=why("reason", "Say why the attempt is declared failed."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.ATTEMPT_FAILED, Action.FLAGGED_FOR_HUMAN, Action.INTERVENTION_DONE),
)
def declare_failure(*, attempt_id: int, reason: str, actor: Actor, now: datetime) -> Attempt:
    """A person declares that a running attempt will not finish, for example because its executor died.

    Requirements: F9.
    """
    with unit_of_work():
        situation = locked_attempt(attempt_id)
        attempt = situation.attempt
        if refusal := why_not_declare_failure(attempt, actor):
            raise _ended_already(attempt, refusal)
        overtake_budget(attempt.task, "Overtaken: the attempt was declared failed.", actor, now)
        _fail(situation, actor, reason, now)
    return attempt


def why_not_declare_failure(attempt: Attempt | None, actor: Actor) -> Refusal | None:
    """Why this actor may not declare the latest attempt of a task failed; asks no database."""
    if refusal := declare_failure.why_not(actor):
        return refusal
    if attempt is None:
        return WrongState("No attempt is running.")
    if attempt.status != AttemptStatus.RUNNING:
        return WrongState(f"{attempt} is {attempt.status}, not running.")
    return None


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    reason=why("reason", "Say why another attempt is worth it."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.TASK_REQUEUED,),
)
def requeue(*, task_id: int, reason: str, actor: Actor, now: datetime, seen: int | None = None) -> None:
    """Let the scheduler launch a new attempt after a failure; earlier attempts stay as they are (FR-027).

    BreakerOpen while the task's circuit breaker waits for a person. `seen` is the failed attempt that the
    caller has read, where it knows: a later one is not queued again unread.
    """
    with unit_of_work():
        task = locked_task(task_id)
        last = task.attempts.order_by("-number").first()
        if refusal := why_not_requeue(last, actor):
            raise _decided_already(task, refusal)
        if last is not None and seen not in (None, last.pk):
            raise _decided_already(
                task, WrongState(f"Attempt {last.number} failed since the page was opened.")
            )
        assert last is not None
        refuse_open_breaker(task)
        last.followed_up_at = now
        last.save(update_fields=["followed_up_at"])
        task.status = TaskStatus.BLOCKED if blocked(last) else TaskStatus.PENDING
        record_attempt(last, actor, Action.TASK_REQUEUED, now, reason=reason, data={"status": task.status})
        settle(task, now)
        wake(task.workstream_id)


def why_not_requeue(last: Attempt | None, actor: Actor) -> Refusal | None:
    """Why this actor may not re-queue the task whose latest attempt this is; asks no database.

    The circuit breaker is another reason (`refuse_open_breaker`).
    """
    if refusal := requeue.why_not(actor):
        return refusal
    if last is None or last.status != AttemptStatus.FAILED or last.followed_up_at is not None:
        return WrongState("No failed attempt waits for a decision.")
    return None


def _decided_already(task: Task, refusal: Refusal) -> Refusal:
    """Names who re-queued the task first, and when; any other refusal stays what it is."""
    key = task.step.key
    return by_whom(
        refusal,
        f"{key} was re-queued already",
        workstream=task.workstream,
        actions=[Action.TASK_REQUEUED],
        subject__startswith=f"{key} attempt ",
    )


def _ended_already(attempt: Attempt, refusal: Refusal) -> Refusal:
    """Names who ended the attempt before it was declared failed, and when."""
    subject = f"{attempt.task.step.key} attempt {attempt.number}"
    return by_whom(
        refusal,
        f"{subject} ended already: it is {attempt.status}",
        workstream=attempt.task.workstream,
        actions=ENDINGS,
        subject=subject,
    )


def _fail(situation: Situation, actor: Actor, error: str, now: datetime, usage: Usage = NOTHING) -> None:
    attempt = situation.attempt
    end(attempt, AttemptStatus.FAILED, now, error=error, **used_by(attempt, usage, now))
    attempt.task.status = TaskStatus.BLOCKED
    answer_silence(attempt.task, "Overtaken: the attempt was declared failed.", actor, now)
    announce(
        attempt=attempt,
        event=EventType.ATTEMPT_FAILED,
        actor=actor,
        outcome=attempt.error,
        next_action="Look at the error, then re-queue the task or send work back.",
        now=now,
        situation=situation,
    )
    record_attempt(
        attempt,
        actor,
        Action.ATTEMPT_FAILED,
        now,
        reason=attempt.error,
        data={**told(usage), **place_told(attempt)},
    )
    trip_breaker(attempt, now)
    judge_budgets(attempt.task, usage, now)
    ask_on(attempt.task, now)
    settle(attempt.task, now)
    wake(attempt.task.workstream_id)
