"""What batches and merge points taught, which of them wait for a word, and the facts to start from (BX-7).

A batch goes by `Batch 01`, in later stages by `Stage 2, batch 01`; a merge point by its key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Left, NullIf

from orchestrator.contract.learnings import LearningFacts, LearningList
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import (
    OPEN_TASK,
    AttemptStatus,
    GateDecision,
    GateKind,
    StepKind,
    TaskStatus,
    WorkstreamStatus,
)
from orchestrator.models import Attempt, Batch, Blocker, GateReview, Learning, Task, Workstream
from orchestrator.queries.base.order import batch_order

#: Facts that a form starts from, and characters of each.
FACTS = 20
LINE = 200


@dataclass(frozen=True, slots=True)
class LearningsAfter:
    """A batch or merge point, and what happened in it."""

    after: str
    facts: list[str]
    recorded: list[Learning]


def learnings(workstream: Workstream) -> LearningList:
    rows = Learning.objects.filter(workstream=workstream).select_related("author")
    items = tuple(
        LearningFacts(row.after, row.went_wrong, row.worked, row.tighten, row.recorded_as, row.recorded_at)
        for row in rows
    )
    return LearningList(due(workstream), items)


def due(workstream: Workstream) -> tuple[str, ...]:
    """What is done and has taught nobody anything yet: batches in plan order, then merge points."""
    if not workstream.done_tasks:
        return ()
    columns = ("later", "first", "second", "said_as")
    batches = due_batches().filter(stage__version=workstream.version_id, uuid=workstream.uuid)
    named = batches.annotate(
        later=Value(0), first=F("stage__position"), second=F("position"), said_as=F("label")
    ).values_list(*columns)
    gates = due_merge_points().filter(workstream=workstream)
    keys = gates.annotate(later=Value(1), first=F("pk"), second=Value(0), said_as=F("step__key"))
    rows = named.order_by().union(keys.order_by().values_list(*columns), all=True)
    return tuple(name for *_, name in sorted(rows))


def batch_names(workstream: Workstream) -> tuple[str, ...]:
    """The names that the batches of its plan go by, in plan order."""
    rows = _labelled().filter(stage__version=workstream.version_id).order_by(*batch_order(""))
    return tuple(rows.values_list("label", flat=True))


def has_step(workstream: Workstream, key: str) -> bool:
    """Whether a step of its plan, or one that a later version dropped, has this key."""
    return Task.objects.filter(workstream=workstream, step__key=key).exists()


def due_batches() -> QuerySet[Any]:
    """Batches whose last task is done: `label`, its workstream's `uuid` and `title`, and `since` when."""
    tasks = Task.objects.filter(step__thread__batch=OuterRef("pk"))
    said = Learning.objects.filter(workstream__version=OuterRef("stage__version"), after=OuterRef("label"))
    rows: QuerySet[Any] = (
        _labelled()
        .filter(
            Exists(tasks.filter(step__kind=StepKind.WORK, status=TaskStatus.COMPLETE)),
            ~Exists(tasks.filter(status__in=OPEN_TASK)),
            ~Exists(said),
            stage__version__workstreams__status=WorkstreamStatus.ACTIVE,
        )
        .annotate(
            since=Subquery(tasks.order_by("-updated_at").values("updated_at")[:1]),
            uuid=F("stage__version__workstreams__uuid"),
            title=F("stage__version__workstreams__title"),
        )
    )
    return rows


def due_merge_points() -> QuerySet[Task]:
    said = Learning.objects.filter(workstream=OuterRef("workstream"), after=OuterRef("step__key"))
    return Task.objects.filter(
        ~Exists(said),
        step__gate_kind=GateKind.MERGE,
        status=TaskStatus.COMPLETE,
        workstream__status=WorkstreamStatus.ACTIVE,
    )


def lesson(workstream: Workstream, after: str) -> LearningsAfter:
    """What happened in the batch or merge point of that name; NotFound when there is none."""
    tasks = Task.objects.filter(workstream=workstream, step__version=workstream.version_id)
    batches = _labelled().filter(stage__version=workstream.version_id, label=after)
    found = tasks.filter(Q(step__thread__batch__in=batches) | Q(step__kind=StepKind.GATE, step__key=after))
    if not found.exists():
        raise NotFound(f"There is no batch or merge point {after!r} in {workstream}.")
    recorded = Learning.objects.filter(workstream=workstream, after=after).select_related("author")
    return LearningsAfter(after, list(_happened(found))[:FACTS], list(recorded))


def _labelled() -> QuerySet[Any]:
    name = Coalesce(NullIf("prefix", Value("")), "name", output_field=CharField())
    first = Concat(Value("Batch "), name)
    later = Concat(Value("Stage "), Cast("stage__number", CharField()), Value(", batch "), name)
    label = Case(When(stage__position=0, then=first), default=later, output_field=CharField())
    rows: QuerySet[Any] = Batch.objects.annotate(label=Left(label, 80))
    return rows


def _happened(tasks: QuerySet[Task]) -> Iterator[str]:
    """Failures, rework, rejections and blockers, a line each."""
    failed = Attempt.objects.filter(task__in=tasks, status=AttemptStatus.FAILED).select_related("task__step")
    for attempt in failed.order_by("ended_at", "pk"):
        yield _line(f"{attempt} failed: {attempt.error}")
    for task in tasks.filter(rework__gt=0).select_related("step").order_by("pk"):
        yield f"{task.step.key} was done again {task.rework} time{'' if task.rework == 1 else 's'}."
    rejected = GateReview.objects.filter(
        Q(attempt__task__in=tasks) | Q(return_step__tasks__in=tasks),
        attempt__status=AttemptStatus.REJECTED,
        decision=GateDecision.REJECTED,
        withdrawn_at=None,
    )
    for review in (
        rejected.select_related("attempt__task__step", "reviewer").distinct().order_by("signed_at", "pk")
    ):
        yield _line(f"{review.attempt.task.step.key} was rejected by {review.signed_as}: {review.reason}")
    blocked = Blocker.objects.filter(task__in=tasks).select_related("task__step")
    for blocker in blocked.order_by("declared_at", "pk"):
        ended = f" Resolved: {blocker.resolution}" if blocker.resolved_at else ""
        yield _line(f"{blocker.task.step.key} was blocked ({blocker.kind}): {blocker.note}{ended}")


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LINE else f"{line[: LINE - 1]}…"
