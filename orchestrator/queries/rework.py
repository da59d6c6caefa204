"""Rework: how often work went back, and what has to be proved again because of it (FR-021, AS-6)."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from orchestrator.core.terms import OPEN_TASK, AttemptStatus, CriterionKind, EventType
from orchestrator.models import Attempt, Criterion, CriterionCheck, HandoffArtifact, HistoryEntry, Task, Workstream

SENT_BACK: Final = "work sent back"


@dataclass(frozen=True)
class ProveAgain:
    """A criterion whose evidence no longer counts; `earlier` is what the last completed attempt showed."""

    id: int
    kind: CriterionKind
    text: str
    earlier: str


@dataclass(frozen=True)
class Rework:
    """Why a task is done again: work went back to `to` (itself or a step before it). `times` counts its own results
    that were thrown away."""

    to: str
    reason: str
    by: str
    at: datetime
    times: int
    criteria: tuple[ProveAgain, ...]


@dataclass(frozen=True)
class ReworkCount:
    """`sent_back` counts the acts, `steps_redone` the completed results that they threw away."""

    sent_back: int
    steps_redone: int


def rework_of(task: Task) -> Rework | None:
    """What an open task has to prove again, and who sent it back why; None when its result was never thrown away."""
    if task.status not in OPEN_TASK:
        return None
    last = task.attempts.filter(status=AttemptStatus.COMPLETED).order_by("-number").first()
    entry = _entry(task) if last else None
    if last is None or entry is None:
        return None
    return Rework(entry.subject, entry.reason, entry.actor, entry.recorded_at, task.rework, _criteria(task, last))


def _entry(task: Task) -> HistoryEntry | None:
    """The latest send-back that reset this task."""
    entries = HistoryEntry.objects.filter(workstream=task.workstream_id, action=SENT_BACK).order_by("-number")
    return next((entry for entry in entries if task.step.key in json.loads(entry.leaf)["data"]["became"]), None)


def _criteria(task: Task, last: Attempt) -> tuple[ProveAgain, ...]:
    shown = dict(CriterionCheck.objects.filter(attempt=last).values_list("criterion__text", "evidence"))
    rows = Criterion.objects.filter(step=task.step_id).exclude(kind=CriterionKind.DONE).order_by("kind", "position")
    return tuple(ProveAgain(c.pk, CriterionKind(c.kind), c.text, shown.get(c.text, "")) for c in rows)


def with_rework(workstreams: QuerySet[Workstream]) -> QuerySet[Workstream]:
    """The rows that `rework_count` reads."""
    events = HandoffArtifact.objects.filter(workstream=OuterRef("pk"), event=EventType.REWORK_REQUESTED)
    tasks = Task.objects.filter(workstream=OuterRef("pk"))
    counted = events.order_by().values("workstream").annotate(n=Count("pk")).values("n")
    redone = tasks.order_by().values("workstream").annotate(n=Sum("rework")).values("n")
    return workstreams.annotate(
        sent_back=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
        steps_redone=Coalesce(Subquery(redone, output_field=IntegerField()), 0),
    )


def rework_count(workstream: Workstream) -> ReworkCount:
    """The counts of a row that came through `with_rework`."""
    return ReworkCount(workstream.sent_back, workstream.steps_redone)  # type: ignore[attr-defined]


def rework_in(workstream: Workstream) -> ReworkCount:
    """The counts of one workstream."""
    return rework_count(with_rework(Workstream.objects.filter(pk=workstream.pk)).get())
