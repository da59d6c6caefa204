"""Which acts a task offers to a person, and why the others are off: the acts say so (DC-5)."""

from orchestrator.models import Executor
from orchestrator.queries.work.tasks import TaskDetail
from orchestrator.services.people import blockers, interventions
from orchestrator.services.work import failures, offered
from orchestrator.web.acting import Viewer, off


def why_not(who: Viewer, detail: TaskDetail, mine: Executor | None) -> dict[str, str]:
    """The reason for each control that is off; empty text for those that are on."""
    task, actor = detail.row.task, who.actor
    return {
        "claim": off(offered.why_not_claim_now(detail, actor, mine)),
        "work": off(offered.why_not_work_on(detail, mine)),
        "complete": off(offered.why_not_complete_now(detail, mine)),
        "declare_failure": off(failures.why_not_declare_failure(detail.row.live, actor)),
        "requeue": off(offered.why_not_requeue_now(detail, actor)),
        "send_back": off(offered.why_not_send_back_now(detail, actor)),
        "flag": off(interventions.why_not_flag(task, actor)),
        "answer": off(interventions.why_not_answer(detail.asked, actor)) if detail.asked else "",
        "declare_blocker": off(blockers.why_not_block(task, actor)),
        "resolve_blocker": who.lacks(blockers.resolve_blocker),
    }
