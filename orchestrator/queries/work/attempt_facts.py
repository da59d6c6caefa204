"""What machines read of an attempt: its state, and what its claim gave (FR-027)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.errors import NotFound
from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, Attempt
from orchestrator.models.attempt import LIVE
from orchestrator.queries.engine.held import lost_before
from orchestrator.queries.work.briefs import Brief, CriterionFacts, brief, criteria_of


@dataclass(frozen=True)
class AttemptFacts:
    """`token` fences the claim that holds or held it; 0 while nobody did. `result` is the word a completion
    carried.

    `held` says which lost handover keeps a live one from being claimed or completed (EC-3). `same_as` is the
    number of the attempt whose result stands, because this one's is the same (FR-010).
    """

    id: int
    number: int
    task: int
    key: str
    status: AttemptStatus
    executor: str
    claimed_as: str
    token: int
    breadcrumb: str
    outcome: str
    result: str
    error: str
    commit: str
    held: str
    same_as: int | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class ClaimFacts:
    """What a claim gives: the attempt, the token that every further call carries, what completion has to
    prove, and the task's brief. Who claims once more what they hold is given the same."""

    attempt: AttemptFacts
    token: int
    criteria: tuple[CriterionFacts, ...]
    brief: Brief


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
        criteria=criteria_of(task.step),
        brief=brief(task.pk),
    )
