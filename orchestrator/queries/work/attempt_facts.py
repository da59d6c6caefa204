"""What machines read of an attempt: its state, and what its claim gave (FR-027)."""

from orchestrator.contract.attempts import AttemptFacts, ClaimFacts
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, Attempt
from orchestrator.models.attempt import LIVE
from orchestrator.queries.engine.held import lost_before
from orchestrator.queries.work.briefs import brief, criteria_of


def attempt_facts(attempt_id: int) -> AttemptFacts:
    found = (
        Attempt.objects.select_related("task__step", "assignment__executor", "same_as")
        .filter(pk=attempt_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such attempt.")
    assignment: Assignment | None = getattr(found, "assignment", None)
    lost = lost_before(found.task) if found.status in LIVE else None
    return AttemptFacts(
        id=found.pk,
        number=found.number,
        task=found.task_id,
        key=found.task.step.key,
        status=AttemptStatus(found.status),
        executor=assignment.executor.name if assignment else "",
        claimed_as=assignment.claimed_as if assignment else "",
        token=assignment.token if assignment else 0,
        breadcrumb=found.task.breadcrumb,
        outcome=found.outcome,
        result=found.result,
        error=found.error,
        commit=found.commit,
        held=lost.sentence if lost else "",
        same_as=found.same_as.number if found.same_as else None,
        queued_at=found.queued_at,
        started_at=found.started_at,
        ended_at=found.ended_at,
    )


def claim_facts(assignment: Assignment) -> ClaimFacts:
    task = assignment.attempt.task
    return ClaimFacts(
        attempt=attempt_facts(assignment.attempt_id),
        token=assignment.token,
        criteria=criteria_of(task),
        brief=brief(task.pk),
    )
