"""Who has signed a gate that waits, and who did the work that it reviews (FR-006)."""

from collections import defaultdict
from collections.abc import Collection

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from orchestrator.core.engine.signatures import Signer, SignOff, sign_off
from orchestrator.core.terms import AttemptStatus, GateDecision, Role, StepKind
from orchestrator.models import Attempt, GateReview, Step, Task
from orchestrator.queries.handoff.handovers import batch_before
from orchestrator.queries.plans.adoption import adopting_version


def signers_by_gate(
    gates: QuerySet[Task] | Collection[Task] | Collection[int],
) -> dict[int, tuple[Signer, ...]]:
    """By task: the people who signed the attempt that waits now; signatures of earlier attempts
    never count.
    """
    reviews = GateReview.objects.filter(
        attempt__task__in=gates, attempt__status=AttemptStatus.QUEUED, decision=GateDecision.APPROVED
    )
    signers: dict[int, list[Signer]] = defaultdict(list)
    rows = reviews.select_related("reviewer", "attempt").prefetch_related("reviewer__groups")
    for review in rows.order_by("signed_at", "pk"):
        signers[review.attempt.task_id].append(signer_of(review.reviewer))
    return {task: tuple(found) for task, found in signers.items()}


def signer_of(user: User) -> Signer:
    held = set(Role) if user.is_superuser else {group.name for group in user.groups.all()}
    return Signer(user.get_username(), frozenset(role.value for role in Role if role in held))


def sign_off_of(gate: Task) -> SignOff:
    """How far the sign-off of a gate is."""
    names = gate.step.reviewers.values_list("name", flat=True)
    return sign_off(list(names), gate.step.signatures, signers_by_gate([gate]).get(gate.pk, ()))


def reviewed_steps(gate: Step) -> QuerySet[Step]:
    """What a gate reviews: the steps it waits for directly, with those that its own action waits for; without
    any the batch before."""
    lane = Step.objects.filter(thread=gate.thread_id)
    named = Step.objects.filter(Q(needed_by__step__in=lane) | Q(pk__in=lane, kind=StepKind.WORK)).distinct()
    if named.exists():
        return named
    batch = batch_before(gate.thread.batch)
    return Step.objects.filter(thread__batch=batch) if batch else Step.objects.none()


def workers_before(gate: Task) -> frozenset[int]:
    """The accounts whose executors hold the latest completed attempts of what a gate reviews; for work that
    was adopted whoever submitted its state."""
    attempts = latest_completed().filter(
        task__workstream=gate.workstream_id, task__step__in=reviewed_steps(gate.step)
    )
    workers = set(attempts.exclude(assignment=None).values_list("assignment__executor__user_id", flat=True))
    if attempts.filter(adopted=True).exists() and (version := adopting_version(gate.workstream)):
        workers.add(version.author_id)
    return frozenset(workers)


def latest_completed() -> QuerySet[Attempt]:
    """The attempt of each task whose result counts."""
    later = Attempt.objects.filter(
        task=OuterRef("task"), status=AttemptStatus.COMPLETED, number__gt=OuterRef("number")
    )
    return Attempt.objects.filter(~Exists(later), status=AttemptStatus.COMPLETED)
