"""What the documentation of a workstream is made from: every output by stage, batch and thread, decisions,
learnings (WF-6)."""

from collections.abc import Sequence

from django.db.models import Prefetch

from orchestrator.core.files.documentation import (
    Built,
    DocumentationView,
    Signed,
    Taught,
    documentation_folder,
    page_path,
    render_documentation,
)
from orchestrator.core.files.handoff import DOCUMENTATION_PREFIX, RESULT_EVENTS, timestamp
from orchestrator.core.terms import ArtifactState, StageKind, TaskStatus, WorkstreamStatus
from orchestrator.models import GateReview, HandoffArtifact, Learning, OutputFile, Step, Task, Workstream
from orchestrator.queries.base.order import plan_order
from orchestrator.queries.base.sql import Joined
from orchestrator.queries.handoff.upstream import IN_FORCE, output_place


def documentation_file(workstream: Workstream) -> dict[str, bytes]:
    """Path and bytes of the documentation's first page; nothing before documentation work starts and nothing
    new after acceptance."""
    if workstream.status != WorkstreamStatus.ACTIVE or not _started(workstream.pk):
        return {}
    folder = f"{documentation_folder(workstream.slug)}/"
    outputs = OutputFile.objects.filter(artifact__workstream=workstream, path__startswith=folder)
    outputs = outputs.exclude(artifact__state=ArtifactState.QUARANTINED)
    path = page_path(workstream.slug, outputs.values_list("path", flat=True))
    return {path: render_documentation(documentation_view(workstream)).encode()} if path else {}


def _started(workstream: int) -> bool:
    """Whether an attempt was made at documentation work."""
    found = _STARTED.first(workstream, StageKind.DOCUMENTATION.value, f"{DOCUMENTATION_PREFIX}%")
    return found is not None


def documentation_view(workstream: Workstream) -> DocumentationView:
    return DocumentationView(
        slug=workstream.slug,
        title=workstream.title,
        summary=workstream.version.summary,
        built=built(workstream),
        signed=_signed(workstream),
        taught=_taught(workstream),
    )


def built(workstream: Workstream) -> tuple[Built, ...]:
    """Every step of work of the version in effect, in plan order, with the files that stand for it."""
    tasks = Task.objects.filter(
        workstream=workstream, step__version=workstream.version_id, step__gate_kind=""
    )
    handovers = _handovers(workstream)
    rows = tasks.select_related("step__thread__batch__stage").order_by(*plan_order())
    return tuple(_built(workstream, task, handovers.get(task.pk)) for task in rows)


def is_documentation(workstream: Workstream, step: Step) -> bool:
    return output_place(workstream, step).folder == documentation_folder(workstream.slug)


def _handovers(workstream: Workstream) -> dict[int, HandoffArtifact]:
    outputs = OutputFile.objects.only("artifact_id", "path").order_by("path")
    rows = (
        HandoffArtifact.objects.filter(workstream=workstream, event__in=RESULT_EVENTS, state__in=IN_FORCE)
        .defer("body")
        .select_related("attempt")
        .prefetch_related(Prefetch("outputs", outputs))
    )
    return {row.attempt.task_id: row for row in rows.order_by("sequence")}


def _built(workstream: Workstream, task: Task, handover: HandoffArtifact | None) -> Built:
    step, thread = task.step, task.step.thread
    done = handover is not None and task.status == TaskStatus.COMPLETE
    return Built(
        stage=str(thread.batch.stage),
        batch=str(thread.batch),
        thread=str(thread),
        key=step.key,
        title=step.title,
        state="" if done else f"{task.status}, nothing is handed over",
        outcome=handover.attempt.outcome if handover and done else "",
        outputs=tuple(output.path for output in handover.outputs.all()) if handover and done else (),
        documentation=is_documentation(workstream, step),
    )


def _signed(workstream: Workstream) -> tuple[Signed, ...]:
    reviews = GateReview.objects.filter(attempt__task__workstream=workstream, withdrawn_at=None)
    rows = reviews.select_related("attempt__task__step", "reviewer").order_by("signed_at", "pk")
    return tuple(
        Signed(
            key=row.attempt.task.step.key,
            title=row.attempt.task.step.title,
            decision=row.decision,
            by=row.signed_as,
            at=timestamp(row.signed_at),
            reason=row.reason,
        )
        for row in rows
    )


def _taught(workstream: Workstream) -> tuple[Taught, ...]:
    rows: Sequence[Learning] = list(
        Learning.objects.filter(workstream=workstream).order_by("recorded_at", "pk")
    )
    taught = []
    for row in rows:
        named = {"went wrong": row.went_wrong, "worked": row.worked, "to tighten": row.tighten}
        taught.append(Taught(row.after, tuple(f"{name}: {text}" for name, text in named.items() if text)))
    return tuple(taught)


_STARTED = Joined(
    {},
    """orchestrator_task task JOIN orchestrator_step step ON step.id = task.step_id
JOIN orchestrator_thread thread ON thread.id = step.thread_id
JOIN orchestrator_batch batch ON batch.id = thread.batch_id
JOIN orchestrator_stage stage ON stage.id = batch.stage_id
WHERE task.workstream_id = %s
AND (stage.kind = %s OR batch.slug LIKE %s)
AND EXISTS (SELECT 1 FROM orchestrator_attempt attempt WHERE attempt.task_id = task.id) LIMIT 1""",
    {"task": "task.id"},
)
