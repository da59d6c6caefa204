"""Which acts a task offers to a person, and why the others are off.

Services decide again when an act comes.
"""

from orchestrator.core.engine import explain
from orchestrator.core.errors import Refusal
from orchestrator.core.terms import OPEN_TASK, AttemptStatus, Reason
from orchestrator.models import Executor
from orchestrator.queries.engine.threads import sole_executor
from orchestrator.queries.work.tasks import TaskDetail
from orchestrator.services.handoff.baseline import why_integrated
from orchestrator.services.people import blockers, interventions
from orchestrator.services.work import failures
from orchestrator.services.work.claims import why_not_claim
from orchestrator.services.work.completions import why_not_complete
from orchestrator.services.work.rework import why_not_send_back
from orchestrator.web.acting import Viewer, off


def why_not(who: Viewer, detail: TaskDetail, mine: Executor | None) -> dict[str, str]:
    """The reason for each control that is off; empty text for those that are on."""
    task = detail.row.task
    return {
        "claim": _not_claimable(who, detail, mine),
        "work": _not_mine(detail, mine),
        "complete": _not_mine(detail, mine) or off(_why_not_complete(detail)),
        "declare_failure": off(failures.why_not_declare_failure(detail.row.live, who.actor)),
        "requeue": _broken(detail) or off(failures.why_not_requeue(detail.row.failed, who.actor)),
        "send_back": _not_sent_back(who, detail) or off(why_integrated(task.workstream)),
        "flag": off(interventions.why_not_flag(task, who.actor)),
        "answer": off(interventions.why_not_answer(detail.asked, who.actor)) if detail.asked else "",
        "declare_blocker": off(blockers.why_not_block(task, who.actor)),
        "resolve_blocker": who.lacks(blockers.resolve_blocker),
    }


def _not_claimable(who: Viewer, detail: TaskDetail, mine: Executor | None) -> str:
    row = detail.row
    if row.task.step.is_gate:
        return "A gate is signed on its own page."
    if row.holder:
        return f"{row.holder} holds it until the attempt ends."
    if row.task.status not in OPEN_TASK:
        return f"It is {row.task.get_status_display().lower()}; there is nothing left to claim."
    if row.live is None:
        if row.verdict is not None and row.verdict.reason is Reason.LAUNCHED:
            # The next round does what the verdict says.
            return explain.launches_next()
        return explain.not_ready(row.sentence)
    if refusal := why_not_claim(
        row.live, None, who.actor, blocked=_is_blocked(detail), lost=_is_lost(detail)
    ):
        return off(refusal)
    sole = sole_executor(row.task.workstream, row.task.step.thread)
    return f"Its thread is assigned to {sole.label}." if sole and sole != mine else ""


def _why_not_complete(detail: TaskDetail) -> Refusal | None:
    return why_not_complete(detail.row.task, blocked=_is_blocked(detail), lost=_is_lost(detail))


def _is_blocked(detail: TaskDetail) -> bool:
    return any(blocker.resolved_at is None for blocker in detail.blockers)


def _is_lost(detail: TaskDetail) -> bool:
    """Whether something that it builds on was lost after it was launched (EC-3)."""
    verdict = detail.row.verdict
    return detail.row.live is not None and verdict is not None and verdict.reason is Reason.ARTIFACT


def _not_mine(detail: TaskDetail, mine: Executor | None) -> str:
    holder = detail.row.holder
    if not holder:
        return "Nobody holds the attempt; claim it first."
    return (
        ""
        if mine is not None and detail.row.held_by(mine)
        else f"Only {holder} can do this: it holds the attempt."
    )


def _broken(detail: TaskDetail) -> str:
    return "It failed too often. Answer the circuit breaker above first." if detail.breaker else ""


def _not_sent_back(who: Viewer, detail: TaskDetail) -> str:
    if detail.row.task.step.is_gate:
        return "A gate is rejected on its own page."
    completed = any(attempt.status == AttemptStatus.COMPLETED for attempt in detail.row.attempts)
    return off(why_not_send_back(detail.row.task, who.actor, completed=completed))
