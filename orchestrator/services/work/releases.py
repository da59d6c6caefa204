"""Releases: whoever holds a task gives it back, without a failure (FR-027, WF-8)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.usage import NOTHING, Usage
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import AttemptStatus, Scope, TaskStatus
from orchestrator.models import Attempt, Executor
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.bounds import check_text
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.work.attempts import end, held_attempt, record_attempt
from orchestrator.services.work.places import place_told
from orchestrator.services.work.silence import heard
from orchestrator.services.work.spending import judge_budgets
from orchestrator.services.work.usage import told, used_by


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=why("breadcrumb", "Say how far it is, for whoever goes on."),
    only="who holds the attempt, with the role that the step asks for",
    locks=(Lock.WORKSTREAM,),
    records=(Action.ATTEMPT_RELEASED, Action.FLAGGED_FOR_HUMAN, Action.INTERVENTION_DONE),
)
def release(
    *,
    attempt_id: int,
    token: int,
    executor: Executor,
    breadcrumb: str,
    now: datetime,
    actor: Actor | None = None,
    usage: Usage = NOTHING,
) -> Attempt:
    """Give a running attempt back: it is cancelled, which counts for no circuit breaker, and the next round
    queues another one for whoever may claim it.

    The breadcrumb stays with the task. StaleToken for who does not hold the attempt with this token. `actor`
    as in `completions.complete`, `usage` as in `claims.report`.
    """
    check_text(breadcrumb, "breadcrumb")
    actor = actor or Actor.member(executor)
    with unit_of_work():
        situation = held_attempt(attempt_id, token, executor, actor)
        attempt, task = situation.attempt, situation.task
        end(
            attempt,
            AttemptStatus.CANCELLED,
            now,
            outcome=f"Given back: {breadcrumb}",
            **used_by(attempt, usage, now),
        )
        task.breadcrumb = breadcrumb
        heard(task, actor, now)
        task.status = TaskStatus.BLOCKED if situation.blocked else TaskStatus.PENDING
        data = {"status": task.status, **told(usage), **place_told(attempt)}
        record_attempt(attempt, actor, Action.ATTEMPT_RELEASED, now, reason=breadcrumb, data=data)
        judge_budgets(task, usage, now)
        settle(task, now)
        wake(task.workstream_id)
    return attempt
