"""Why a person may not claim, complete or send back a task now, by what its page has read of it (DC-5).

Each asks the rule of its act first, and adds what only a reader of the whole task knows: who holds it, why
it is not launched, whom its thread is assigned to. The act decides again behind its lock.
"""

from orchestrator.core.engine import explain
from orchestrator.core.errors import AssignedElsewhere, BreakerOpen, Refusal, WrongState
from orchestrator.core.terms import OPEN_TASK, AttemptStatus, Reason
from orchestrator.models import Executor
from orchestrator.queries.engine.threads import sole_executor
from orchestrator.queries.work.tasks import TaskDetail
from orchestrator.services.base.actor import Actor
from orchestrator.services.handoff.baseline import why_integrated
from orchestrator.services.work.claims import why_not_claim
from orchestrator.services.work.completions import why_not_complete
from orchestrator.services.work.failures import why_not_requeue
from orchestrator.services.work.rework import why_not_send_back

_OPEN_GATE = "Open the gate's page."


def why_not_claim_now(detail: TaskDetail, actor: Actor, mine: Executor | None) -> Refusal | None:
    """Why this actor may not claim the task through the executor `mine`, which they may not have yet."""
    row = detail.row
    if row.task.step.is_gate:
        return WrongState("A gate is signed on its own page.", recovery=_OPEN_GATE)
    if row.holder:
        return WrongState(f"{row.holder} holds it until the attempt ends.", recovery="Claim another task.")
    if row.task.status not in OPEN_TASK:
        word = row.task.get_status_display().lower()
        return WrongState(f"It is {word}; there is nothing left to claim.", recovery="Claim another task.")
    if row.live is None:
        return _why_not_launched(detail)
    refusal = why_not_claim(row.live, None, actor, blocked=_is_blocked(detail), lost=_is_lost(detail))
    if refusal:
        return refusal
    sole = sole_executor(row.task.workstream, row.task.step.thread)
    return AssignedElsewhere(f"Its thread is assigned to {sole.label}.") if sole and sole != mine else None


def why_not_work_on(detail: TaskDetail, mine: Executor | None) -> Refusal | None:
    """Why who acts through `mine` may not report on the attempt: nobody holds it, or somebody else does."""
    holder = detail.row.holder
    if not holder:
        return WrongState("Nobody holds the attempt.", recovery="Claim it first.")
    if mine is not None and detail.row.held_by(mine):
        return None
    return WrongState(
        f"Only {holder} can do this: it holds the attempt.", recovery="Wait until the attempt ends."
    )


def why_not_complete_now(detail: TaskDetail, mine: Executor | None) -> Refusal | None:
    """Why who acts through `mine` may not complete the task."""
    if refusal := why_not_work_on(detail, mine):
        return refusal
    return why_not_complete(detail.row.task, blocked=_is_blocked(detail), lost=_is_lost(detail))


def why_not_requeue_now(detail: TaskDetail, actor: Actor) -> Refusal | None:
    """Why this actor may not have the failed task tried again."""
    if detail.breaker:
        return BreakerOpen("It failed too often.", recovery="Answer the circuit breaker above first.")
    return why_not_requeue(detail.row.failed, actor)


def why_not_send_back_now(detail: TaskDetail, actor: Actor) -> Refusal | None:
    """Why this actor may not send work back to the task."""
    task = detail.row.task
    if task.step.is_gate:
        return WrongState("A gate is rejected on its own page.", recovery=_OPEN_GATE)
    completed = any(attempt.status == AttemptStatus.COMPLETED for attempt in detail.row.attempts)
    return why_not_send_back(task, actor, completed=completed) or why_integrated(task.workstream)


def _why_not_launched(detail: TaskDetail) -> Refusal:
    """Why nobody can claim a task without an attempt. The next round does what its last verdict says."""
    verdict = detail.row.verdict
    if verdict is not None and verdict.reason is Reason.LAUNCHED:
        said = explain.launches_next()
    else:
        said = explain.not_ready(detail.row.sentence)
    return WrongState(said, recovery="It can be claimed once it is ready.")


def _is_blocked(detail: TaskDetail) -> bool:
    return any(blocker.resolved_at is None for blocker in detail.blockers)


def _is_lost(detail: TaskDetail) -> bool:
    """Whether something that it builds on was lost after it was launched (EC-3)."""
    verdict = detail.row.verdict
    return detail.row.live is not None and verdict is not None and verdict.reason is Reason.ARTIFACT
