"""What a task's next executor starts from after an interruption or hand-over (AS-8, WF-9): the brief, what happened so
far, what has been handed over already, and what is still to be proved."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from orchestrator.core.errors import NotFound
from orchestrator.core.terms import ArtifactState, AttemptStatus, StepKind, TaskStatus, WorkstreamStatus
from orchestrator.models import Executor, HistoryEntry, OutputFile, Task
from orchestrator.queries.artifact_facts import OutputFacts
from orchestrator.queries.briefs import Brief, brief
from orchestrator.queries.rework import Returned, ToProve, attempt_subjects, returned, to_prove
from orchestrator.queries.tasks import PLACE


@dataclass(frozen=True)
class Crumb:
    """What an executor said it did last."""

    at: datetime
    executor: str
    attempt: str
    text: str


@dataclass(frozen=True)
class Continuation:
    """`own_outputs` are the newest files of the task's own attempts, as they stand in the workspace."""

    brief: Brief
    breadcrumbs: tuple[Crumb, ...]
    returned: tuple[Returned, ...]
    own_outputs: tuple[OutputFacts, ...]
    to_prove: tuple[ToProve, ...]


def continuation(task_id: int) -> Continuation:
    """NotFound when there is no such task."""
    found = Task.objects.select_related("step", "workstream").filter(pk=task_id).first()
    if found is None:
        raise NotFound("There is no such task.")
    return Continuation(
        brief=brief(task_id),
        breadcrumbs=_breadcrumbs(found),
        returned=returned(found),
        own_outputs=_own_outputs(found),
        to_prove=to_prove([found]),
    )


def to_continue(executor: Executor) -> Sequence[Task]:
    """What this executor holds; after it, in launch order, what others began and anybody may claim now."""
    held = Task.objects.filter(attempts__assignment__executor=executor, attempts__assignment__released_at=None)
    left = Task.objects.filter(
        Q(attempts__number__gt=1) | ~Q(breadcrumb=""),
        workstream__status=WorkstreamStatus.ACTIVE,
        status=TaskStatus.PENDING,
        needs_human=False,
        step__kind=StepKind.WORK,
        attempts__status=AttemptStatus.QUEUED,
    )
    order = ("-workstream__priority", "workstream__created_at", "workstream_id", *PLACE)
    rows = [*held.select_related("step", "workstream"), *left.select_related("step", "workstream").order_by(*order)]
    return list({row.pk: row for row in rows}.values())


def _breadcrumbs(task: Task) -> tuple[Crumb, ...]:
    """What executors left, behind what the source told when the work was adopted (WF-8)."""
    entries = HistoryEntry.objects.filter(workstream=task.workstream_id)
    left = entries.filter(action="breadcrumb left", subject__in=attempt_subjects(task)).order_by("sequence")
    adopted = entries.filter(action="work adopted", subject=task.step.key).order_by("sequence")
    told = [Crumb(e.recorded_at, e.actor, "before the plan came here", _told(e)) for e in adopted]
    return (*told, *(Crumb(e.recorded_at, e.actor, e.subject, e.reason) for e in left))


def _told(entry: HistoryEntry) -> str:
    return str(json.loads(entry.leaf)["data"]["breadcrumb"])


def _own_outputs(task: Task) -> tuple[OutputFacts, ...]:
    rows = OutputFile.objects.filter(artifact__attempt__task=task).exclude(artifact__state=ArtifactState.QUARANTINED)
    newest = {row.path: row for row in rows.defer("content").order_by("artifact__sequence")}
    return tuple(OutputFacts(row.pk, row.path, row.sha256) for _, row in sorted(newest.items()))
