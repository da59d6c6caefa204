"""What machines read of gates: which ones wait, who has signed, who is still asked (FR-006)."""

from django.db.models import QuerySet

from orchestrator.contract.gates import GateFacts, GateList, GateReviewFacts
from orchestrator.core.engine.signatures import GATE_MEANINGS, Signer, sign_off
from orchestrator.core.terms import AttemptStatus, GateDecision, GateKind, StepKind, TaskStatus
from orchestrator.models import GateReview, Task
from orchestrator.queries.engine.signatures import signers_by_gate
from orchestrator.queries.gates.gates import find_gate


def list_waiting(*, limit: int = 100, offset: int = 0) -> GateList:
    """Gates that wait for a signature, longest wait first."""
    waiting = Task.objects.filter(step__kind=StepKind.GATE, attempts__status=AttemptStatus.QUEUED)
    page = list(_with_rows(waiting).order_by("attempts__queued_at", "pk")[offset : offset + limit])
    signers = signers_by_gate([task.pk for task in page])
    return GateList(waiting.count(), tuple(_facts(task, signers.get(task.pk, ())) for task in page))


def gate_facts(task_id: int) -> GateFacts:
    """One gate; NotFound when there is none."""
    find_gate(task_id)
    task = _with_rows(Task.objects.filter(pk=task_id)).get()
    return _facts(task, signers_by_gate([task.pk]).get(task.pk, ()))


def _with_rows(tasks: QuerySet[Task]) -> QuerySet[Task]:
    reviews = (
        "attempts__reviews__reviewer",
        "attempts__reviews__return_step",
        "attempts__reviews__follow_up_version",
    )
    return tasks.select_related("step", "workstream").prefetch_related("step__reviewers", *reviews)


def _facts(task: Task, signers: tuple[Signer, ...]) -> GateFacts:
    step = task.step
    state = sign_off([reviewer.name for reviewer in step.reviewers.all()], step.signatures, signers)
    kind = GateKind(step.gate_kind)
    return GateFacts(
        task=task.pk,
        key=step.key,
        title=step.title,
        kind=kind,
        meaning=GATE_MEANINGS[kind],
        action=step.gate_action,
        workstream=task.workstream.uuid,
        status=TaskStatus(task.status),
        attempt_id=next((one.pk for one in task.attempts.all() if one.status == AttemptStatus.QUEUED), 0),
        needed=state.needed,
        signed=state.signed,
        asked=() if state.decided else state.asked,
        each=state.each,
        reviews=tuple(
            _review(review, attempt.number)
            for attempt in task.attempts.all()
            for review in attempt.reviews.all()
        ),
    )


def _review(review: GateReview, attempt: int) -> GateReviewFacts:
    version, back = review.follow_up_version, review.return_step
    return GateReviewFacts(
        attempt=attempt,
        decision=GateDecision(review.decision),
        reviewer=review.reviewer.get_username(),
        signed_as=review.signed_as,
        reason=review.reason,
        follow_ups=review.follow_ups,
        follow_up_version=version.number if version else 0,
        return_to=back.key if back else "",
        signed_at=review.signed_at,
        effective_at=review.effective_at,
        withdrawn_at=review.withdrawn_at,
    )
