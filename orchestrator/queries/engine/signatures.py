"""Who has signed a gate that waits, and who did the work that it reviews (FR-006)."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from orchestrator.core.engine.signatures import Signer, SignOff, sign_off
from orchestrator.core.terms import AttemptStatus, GateDecision, Role, StepKind
from orchestrator.models import Attempt, GateReview, Step, Task
from orchestrator.queries.base.sql import Joined
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
    """What this gate asks for and has. Who signed is read where somebody did."""
    rows = _ASKED.rows(gate.pk, gate.step_id)
    names = tuple(row["name"] for row in rows if row["name"] is not None)
    signers = signers_by_gate([gate.pk]).get(gate.pk, ()) if rows[0]["decided"] else ()
    return Signatures(names, gate.step.signatures, signers)


_ASKED = Joined(
    {},
    """orchestrator_step step LEFT JOIN orchestrator_gatereviewer reviewer ON reviewer.step_id = step.id
WHERE step.id = %s ORDER BY reviewer.name""",
    {
        "name": "reviewer.name",
        "decided": f"""EXISTS (SELECT 1 FROM orchestrator_attempt attempt
  JOIN orchestrator_gatereview review ON review.attempt_id = attempt.id AND review.withdrawn_at IS NULL
  WHERE attempt.task_id = %s AND attempt.status = '{AttemptStatus.QUEUED.value}')""",
    },
)


def sign_off_of(gate: Task) -> SignOff:
    """How far the sign-off of a gate is."""
    return signatures_of(gate).sign_off()


def reviewed_steps(gate: Step, names_steps: bool | None = None) -> QuerySet[Step]:
    """What a gate reviews: the steps it waits for directly, with those that its own action waits for;
    without any the batch before. `names_steps` says whether there are any, where that is known."""
    named = _named(gate)
    if named.exists() if names_steps is None else names_steps:
        return named
    return Step.objects.filter(version=gate.version_id, batch_index=gate.batch_index - 1)


def _named(gate: Step) -> QuerySet[Step]:
    lane = Step.objects.filter(thread=gate.thread_id)
    return Step.objects.filter(Q(needed_by__step__in=lane) | Q(pk__in=lane, kind=StepKind.WORK)).distinct()


def workers_before(gate: Task, names_steps: bool | None = None) -> frozenset[int]:
    """The accounts whose executors hold the latest completed attempts of what a gate reviews; for work
    that was adopted whoever submitted its state. `names_steps` as in `reviewed_steps`."""
    step = gate.step
    if _named(step).exists() if names_steps is None else names_steps:
        rows = _WORKERS_OF_NAMED.rows(step.thread_id, step.thread_id, gate.workstream_id)
    else:
        rows = _WORKERS_OF_BATCH.rows(step.version_id, step.batch_index - 1, gate.workstream_id)
    workers = {row["worker"] for row in rows if row["worker"] is not None}
    if any(row["adopted"] for row in rows) and (version := adopting_version(gate.workstream)):
        workers.add(version.author_id)
    return frozenset(workers)


def _workers_of(steps: str) -> Joined:
    """Who did the latest completed attempts of these steps, as `latest_completed` finds them."""
    return Joined(
        {},
        f"""({steps}) reviewed CROSS JOIN orchestrator_task task
JOIN orchestrator_attempt attempt ON attempt.task_id = task.id AND attempt.status = '{_COMPLETED}'
LEFT JOIN orchestrator_assignment held ON held.attempt_id = attempt.id
LEFT JOIN orchestrator_executor executor ON executor.id = held.executor_id
WHERE task.step_id = reviewed.id AND task.workstream_id = %s AND NOT EXISTS (
  SELECT 1 FROM orchestrator_attempt later WHERE later.task_id = task.id
  AND later.status = '{_COMPLETED}' AND later.number > attempt.number)""",
        {"worker": "executor.user_id", "adopted": "attempt.adopted"},
    )


_COMPLETED = AttemptStatus.COMPLETED.value
_WORKERS_OF_NAMED = _workers_of(
    f"""SELECT need.needed_id AS id FROM orchestrator_step lane
JOIN orchestrator_stepneed need ON need.step_id = lane.id WHERE lane.thread_id = %s
UNION SELECT id FROM orchestrator_step WHERE thread_id = %s AND kind = '{StepKind.WORK.value}'"""
)
_WORKERS_OF_BATCH = _workers_of("SELECT id FROM orchestrator_step WHERE version_id = %s AND batch_index = %s")


def latest_completed() -> QuerySet[Attempt]:
    """The attempt of each task whose result counts."""
    later = Attempt.objects.filter(
        task=OuterRef("task"), status=AttemptStatus.COMPLETED, number__gt=OuterRef("number")
    )
    return Attempt.objects.filter(~Exists(later), status=AttemptStatus.COMPLETED)
