"""What the acts wait for, as queries: each kind of thing that a person may find in their inbox."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable

from orchestrator.core.engine import explain
from orchestrator.core.people.roles import HUMAN, SIGNERS
from orchestrator.core.terms import (
    ArtifactState,
    AttemptStatus,
    InterventionKind,
    Role,
    StepKind,
    TaskStatus,
    VersionStatus,
    WorkstreamStatus,
)
from orchestrator.models import (
    Attempt,
    Blocker,
    GateReview,
    GateReviewer,
    HandoffArtifact,
    Intervention,
    Task,
    WorkflowVersion,
    Workstream,
)
from orchestrator.models.base.word import Word
from orchestrator.queries.base.roles import may_do
from orchestrator.queries.engine.signatures import latest_completed, sign_off_of
from orchestrator.queries.engine.threads import kept_for_others
from orchestrator.queries.plans.effect import promised_to_each
from orchestrator.queries.plans.sign_offs import unsigned_by
from orchestrator.queries.workstreams.learnings import due_batches, due_merge_points


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One thing to do. `page` and `place` name the page where it is done; `since` is UTC. `stands` is the
    question or the gate's attempt that waits, where a row may come to wait for another one."""

    title: str
    workstream: str
    why: str
    since: datetime
    page: str
    place: tuple[str | int, ...]
    stands: int = 0


#: Of a source whose rows are not about one task.
NO_TASK: Final = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """A query and how one of its rows reads.

    `name` tells items of one source from those of another; `since` is the column that says since when one
    waits; `workstream` and `task` are the ways from a row to its workstream and its task, with their
    underscores. `behind` counts what waits for one, where that is neither what waits behind its task nor all
    that is open in its workstream.
    """

    name: str
    rows: QuerySet[Any]
    entry: Callable[[Any], InboxEntry]
    since: str
    workstream: str
    task: str = NO_TASK
    behind: Combinable | None = None


#: Nothing is decided about the plan of a workstream that is accepted or archived.
CLOSED = (WorkstreamStatus.COMPLETED, WorkstreamStatus.ARCHIVED)


def flagged() -> Source:
    open_card = Intervention.objects.filter(task=OuterRef("pk"), cleared_at=None)
    rows = (
        Task.objects.filter(needs_human=True)
        .annotate(asked=open_card.values("pk")[:1])
        .select_related("step", "workstream")
        .order_by("updated_at", "pk")
    )
    return Source("question", rows, _flagged_entry, "updated_at", "workstream__", "")


def _flagged_entry(task: Any) -> InboxEntry:
    note, since, asked = task.intervention_note, task.updated_at, task.asked or 0
    return InboxEntry(str(task.step), task.workstream.title, note, since, "task", _place(task), asked)


def _place(task: Task) -> tuple[str | int, ...]:
    return (str(task.workstream.uuid), task.step.key)


def _carded(kind: InterventionKind, task: str) -> Exists:
    """Rows whose task has an open card of this kind: they are listed under "Needs a human" already."""
    return Exists(Intervention.objects.filter(kind=kind, cleared_at=None, task=OuterRef(task)))


def failed() -> Source:
    later = Attempt.objects.filter(task=OuterRef("task"), number__gt=OuterRef("number"))
    rows = (
        Attempt.objects.filter(
            ~Exists(later),
            status=Word(AttemptStatus.FAILED),
            followed_up_at=None,
            task__status=TaskStatus.BLOCKED,
        )
        .exclude(task__needs_human=True)
        .select_related("task__step", "task__workstream")
        .order_by("ended_at", "pk")
    )
    return Source("failure", rows, _failed_entry, "ended_at", "task__workstream__", "task__")


def _failed_entry(attempt: Attempt) -> InboxEntry:
    task = attempt.task
    why = explain.failed_with(attempt.number, attempt.error)
    since = attempt.ended_at or attempt.queued_at
    return InboxEntry(str(task.step), task.workstream.title, why, since, "task", _place(task))


def declared() -> Source:
    """One for each task, the one declared first; a task with a question or a failure is listed for that."""
    still = Blocker.objects.filter(resolved_at__isnull=True)
    before = still.filter(task=OuterRef("task"), pk__lt=OuterRef("pk"))
    failed_too = Attempt.objects.filter(
        task=OuterRef("task"), status=AttemptStatus.FAILED, followed_up_at=None
    )
    rows = still.exclude(task__needs_human=True).exclude(Exists(before)).exclude(Exists(failed_too))
    rows = rows.select_related("task__step", "task__workstream")
    return Source("blocker", rows, _declared_entry, "declared_at", "task__workstream__", "task__")


def _declared_entry(blocker: Blocker) -> InboxEntry:
    task = blocker.task
    why = f"{blocker.kind.capitalize()} blocker: {blocker.note}"
    return InboxEntry(str(task.step), task.workstream.title, why, blocker.declared_at, "task", _place(task))


def damaged() -> Source:
    rows = (
        HandoffArtifact.objects.filter(state=Word(ArtifactState.DAMAGED))
        .exclude(_carded(InterventionKind.ARTIFACT, "attempt__task"))
        .select_related("workstream", "attempt__task__step", "attempt__task__workstream")
    )
    return Source("file", rows.defer("body"), _damaged_entry, "created_at", "workstream__", "attempt__task__")


def _damaged_entry(artifact: HandoffArtifact) -> InboxEntry:
    why = artifact.problem or "The file is missing or altered."
    place = _place(artifact.attempt.task)
    return InboxEntry(artifact.path, artifact.workstream.title, why, artifact.created_at, "task", place)


def plans_in_review(user: User) -> Source:
    rows = (
        WorkflowVersion.objects.filter(~Q(author=user) | Q(workflow__allow_self_approval=True))
        .filter(unsigned_by(user.pk))
        .exclude(workstream__status__in=CLOSED)
        .select_related("workflow", "author")
        .defer("source")
        .order_by("submitted_at", "pk")
    )
    return Source("plan", rows, _review_entry, "submitted_at", "workstream__", behind=_planned())


def _planned() -> Case:
    """What waits for a version: of work under way its open tasks, else the steps that it plans."""
    return Case(
        When(workstream__open_tasks__gt=0, then=F("workstream__open_tasks")), default=F("steps_planned")
    )


def _review_entry(version: WorkflowVersion) -> InboxEntry:
    steps = version.steps_planned
    waits = "its one step waits" if steps == 1 else f"its {steps} steps wait"
    why = f"Submitted by {version.submitted_as}; {waits} for the decision{_asks(version)}"
    return _version_entry(version, why, version.submitted_at)


def _asks(version: WorkflowVersion) -> str:
    """A plan that leaves a question open is not approved as it stands."""
    number = version.open_questions
    if not number:
        return ""
    return f". {number} question{' is' if number == 1 else 's are'} open in it: answer first, or send it back"


def _version_entry(version: WorkflowVersion, why: str, since: datetime) -> InboxEntry:
    place = (version.workflow.slug, version.number)
    return InboxEntry(
        f"Plan “{version.workflow.name}”, version {version.number}",
        version.workflow.name,
        why,
        since,
        "plan-review",
        place,
    )


def unsigned() -> Source:
    """Approved work that no worker may start, because nobody has signed the pre-handoff review (AS-5)."""
    rows = Workstream.objects.filter(
        status=WorkstreamStatus.ACTIVE, prehandoff__isnull=True, open_tasks__gt=0
    )
    return Source("prehandoff", rows.order_by("updated_at", "pk"), _unsigned_entry, "updated_at", "")


def _unsigned_entry(item: Workstream) -> InboxEntry:
    why = explain.unsigned_prehandoff()
    return InboxEntry(item.title, item.title, why, item.updated_at, "workstream", (str(item.uuid),))


def gates(user: User, roles: frozenset[Role]) -> Source:
    """Gates that ask for this person: not signed by them yet, nor for good (that takes effect by itself), and
    not about their own work (FR-006)."""
    rows = (
        Task.objects.filter(
            step__kind=StepKind.GATE, status=Word(TaskStatus.REVIEW), attempts__status=AttemptStatus.QUEUED
        )
        .exclude(needs_human=True)
        .annotate(waiting=F("attempts__pk"))
        .select_related("step", "workstream")
    )
    named = GateReviewer.objects.filter(step=OuterRef("step"))
    answers_to = {*roles, user.get_username()} - (set(Role) - roles)
    mine = Exists(named.filter(name__in=sorted(answers_to)))
    anyone = Q(pk__in=[]) if roles.isdisjoint(SIGNERS) else ~Exists(named)
    signed = GateReview.objects.filter(
        Q(reviewer=user) | Q(effective_at__isnull=False),
        attempt__task=OuterRef("pk"),
        attempt__status=AttemptStatus.QUEUED,
        withdrawn_at=None,
    )
    own = latest_completed().filter(
        task__workstream=OuterRef("workstream"),
        task__step__needed_by__step__thread=OuterRef("step__thread"),
        assignment__executor__user=user,
    )
    barred = Exists(own) & Q(workstream__version__workflow__allow_self_approval=False)
    rows = rows.filter(mine | anyone).exclude(Exists(signed)).exclude(barred)
    return Source("gate", rows.order_by("updated_at", "pk"), _gate_entry, "updated_at", "workstream__", "")


def _gate_entry(task: Any) -> InboxEntry:
    why = f"{task.step.gate_kind.capitalize()} gate: {task.step.gate_action or 'sign or reject'}"
    if task.step.signatures != 1:
        why += f" ({explain.waits_for_signatures(sign_off_of(task))})"
    title, place = str(task.step), (task.pk,)
    return InboxEntry(title, task.workstream.title, why, task.updated_at, "gate", place, task.waiting)


def finished() -> Source:
    rows = Workstream.objects.filter(status=WorkstreamStatus.ACTIVE, open_tasks=0, done_tasks__gt=0)
    undecided = WorkflowVersion.objects.filter(status=VersionStatus.IN_REVIEW, workstream=OuterRef("pk"))
    rows = rows.exclude(Exists(undecided)).exclude(Exists(promised_to_each()))
    return Source("acceptance", rows.order_by("updated_at", "pk"), _finished_entry, "updated_at", "")


def _finished_entry(item: Workstream) -> InboxEntry:
    why = explain.finished(item.done_tasks)
    return InboxEntry(
        item.title, item.title, why, item.finished_at or item.updated_at, "workstream", (str(item.uuid),)
    )


def claimable(user: User, roles: frozenset[Role]) -> Source:
    """Launched steps without a tool, or for the hands of a person: no executor of this machine takes them, so
    they wait for a person or an agent with the role that they ask for."""
    tasks = Task.objects.filter(
        may_do(roles),
        pk=OuterRef("task"),
        status=TaskStatus.PENDING,
        step__kind=StepKind.WORK,
        step__tool__in=("", HUMAN),
        needs_human=False,
    ).exclude(kept_for_others(Q(executor__user=user)))
    # Asked of each attempt by itself: so the database goes through them in the order of the list, by index.
    rows = Attempt.objects.filter(Exists(tasks), status=Word(AttemptStatus.QUEUED))
    rows = rows.select_related("task__step", "task__workstream")
    return Source(
        "claim",
        rows.order_by("queued_at", "pk"),
        _claimable_entry,
        "queued_at",
        "task__workstream__",
        "task__",
        behind=F("behind"),
    )


def _claimable_entry(attempt: Attempt) -> InboxEntry:
    task = attempt.task
    why = explain.to_be_claimed()
    return InboxEntry(str(task.step), task.workstream.title, why, attempt.queued_at, "task", _place(task))


def taught_batches() -> Source:
    """Done batches that nobody has said anything about (BX-7)."""
    return Source(
        "batch",
        due_batches().order_by("since", "pk"),
        _taught_batch_entry,
        "since",
        "stage__version__workstreams__",
        behind=Value(0),
    )


def _taught_batch_entry(batch: Any) -> InboxEntry:
    return _lesson_entry(batch.label, batch.title, batch.since, batch.uuid)


def taught_merge_points() -> Source:
    rows = due_merge_points().select_related("step", "workstream").order_by("updated_at", "pk")
    return Source(
        "merge-point", rows, _taught_merge_point_entry, "updated_at", "workstream__", behind=Value(0)
    )


def _taught_merge_point_entry(task: Task) -> InboxEntry:
    return _lesson_entry(task.step.key, task.workstream.title, task.updated_at, task.workstream.uuid)


def _lesson_entry(after: str, workstream: str, since: datetime, uuid: UUID) -> InboxEntry:
    why = "It is done. Write down what the next one should know, or say that there is nothing."
    return InboxEntry(f"What did {after} teach?", workstream, why, since, "learning", (str(uuid), after))


def returned(user: User) -> Source:
    newer = WorkflowVersion.objects.filter(workflow=OuterRef("workflow"), number__gt=OuterRef("number"))
    rows = (
        WorkflowVersion.objects.filter(~Exists(newer), author=user, status=VersionStatus.SENT_BACK)
        .exclude(workstream__status__in=CLOSED)
        .select_related("workflow")
        .defer("source")
    )
    return Source("returned", rows, _returned_entry, "decided_at", "workstream__")


def _returned_entry(version: WorkflowVersion) -> InboxEntry:
    return _version_entry(version, version.decision_reason, version.decided_at or version.submitted_at)
