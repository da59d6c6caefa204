"""Who has signed a gate that waits, and who did the work that it reviews (FR-006)."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from orchestrator.core.engine.signatures import Signer, SignOff, sign_off
from orchestrator.core.terms import AttemptStatus, GateDecision, Role, StepKind
from orchestrator.models import Attempt, GateReview, Step, Task
from orchestrator.queries.plans.adoption import adopting_version


def signers_by_gate(
    gates: QuerySet[Task] | Collection[Task] | Collection[int],
) -> dict[int, tuple[Signer, ...]]:
    """By task: the people who signed the attempt that waits now, or rejected it, which waits to take effect;
    decisions about earlier attempts never count.
    """
    reviews = GateReview.objects.filter(
        attempt__task__in=gates,
        attempt__status=AttemptStatus.QUEUED,
        withdrawn_at=None,
    )
    signers: dict[int, list[Signer]] = defaultdict(list)
    rows = reviews.select_related("reviewer", "attempt").prefetch_related("reviewer__groups")
    for review in rows.order_by("signed_at", "pk"):
        rejects = review.decision == GateDecision.REJECTED
        signers[review.attempt.task_id].append(signer_of(review.reviewer, rejects=rejects))
    return {task: tuple(found) for task, found in signers.items()}


def signer_of(user: User, *, rejects: bool = False) -> Signer:
    held = set(Role) if user.is_superuser else {group.name for group in user.groups.all()}
    return Signer(user.get_username(), frozenset(role.value for role in Role if role in held), rejects)


@dataclass(frozen=True, slots=True)
class Signatures:
    """What a gate asks for, and who has decided about the attempt that waits, in order. `names` are the
    plan's reviewers, `needed` is how many signatures it asks for, 0 for one of each name."""

    names: tuple[str, ...]
    needed: int
    signers: tuple[Signer, ...]

    def sign_off(self, *more: Signer) -> SignOff:
        """How far the sign-off is, with the signatures of `more`."""
        return sign_off(self.names, self.needed, [*self.signers, *more])


def signatures_of(gate: Task) -> Signatures:
    """What this gate asks for and has."""
    names = tuple(gate.step.reviewers.values_list("name", flat=True))
    return Signatures(names, gate.step.signatures, signers_by_gate([gate]).get(gate.pk, ()))


def sign_off_of(gate: Task) -> SignOff:
    """How far the sign-off of a gate is."""
    return signatures_of(gate).sign_off()


def reviewed_steps(gate: Step, names_steps: bool | None = None) -> QuerySet[Step]:
    """What a gate reviews: the steps it waits for directly, with those that its own action waits for;
    without any the batch before. `names_steps` says whether there are any, where that is known."""
    lane = Step.objects.filter(thread=gate.thread_id)
    named = Step.objects.filter(Q(needed_by__step__in=lane) | Q(pk__in=lane, kind=StepKind.WORK)).distinct()
    if named.exists() if names_steps is None else names_steps:
        return named
    return Step.objects.filter(version=gate.version_id, batch_index=gate.batch_index - 1)


def workers_before(gate: Task, names_steps: bool | None = None) -> frozenset[int]:
    """The accounts whose executors hold the latest completed attempts of what a gate reviews; for work
    that was adopted whoever submitted its state. `names_steps` as in `reviewed_steps`."""
    attempts = latest_completed().filter(
        task__workstream=gate.workstream_id, task__step__in=reviewed_steps(gate.step, names_steps)
    )
    rows = list(attempts.order_by().values_list("assignment__executor__user_id", "adopted"))
    workers = {worker for worker, _ in rows if worker is not None}
    if any(adopted for _, adopted in rows) and (version := adopting_version(gate.workstream)):
        workers.add(version.author_id)
    return frozenset(workers)


def latest_completed() -> QuerySet[Attempt]:
    """The attempt of each task whose result counts."""
    later = Attempt.objects.filter(
        task=OuterRef("task"), status=AttemptStatus.COMPLETED, number__gt=OuterRef("number")
    )
    return Attempt.objects.filter(~Exists(later), status=AttemptStatus.COMPLETED)
