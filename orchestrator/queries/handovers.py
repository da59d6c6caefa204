"""Which handover artifacts somebody may still read: the ones whose loss has to stop work (EC-3)."""

from collections.abc import Sequence

from django.db.models import Q

from orchestrator.core.handoff import RESULT_EVENTS
from orchestrator.core.terms import OPEN_TASK, ArtifactState, TaskStatus
from orchestrator.models import Batch, HandoffArtifact, OutputFile, Task, Workstream

#: States in which the file has to stand in the work tree.
STANDING = [ArtifactState.COMMITTED.value, ArtifactState.DAMAGED.value]


def handovers_in_use(workstream: Workstream) -> Sequence[HandoffArtifact]:
    """The newest handover of every complete task that an open one builds on: it is named by an open step, or stands in
    the first open batch or the one before it. The cost follows the open frontier, not the plan."""
    open_tasks = Task.objects.filter(workstream=workstream, status__in=OPEN_TASK)
    first = Batch.objects.filter(threads__steps__tasks__in=open_tasks)
    here = first.select_related("stage").order_by("stage__position", "position").first()
    if here is None:
        return []
    before = batch_before(here)
    read = Q(step__needed_by__step__tasks__in=open_tasks) | Q(
        step__thread__batch__in=[here, *([before] if before else [])]
    )
    tasks = Task.objects.filter(read, workstream=workstream, status=TaskStatus.COMPLETE).distinct()
    rows = HandoffArtifact.objects.filter(
        workstream=workstream, attempt__task__in=tasks, event__in=RESULT_EVENTS, state__in=STANDING
    ).select_related("attempt__task__step")
    return list({row.attempt.task_id: row for row in rows.order_by("sequence")}.values())


def batch_before(batch: Batch) -> Batch | None:
    """The batch that has to be complete before this one starts (BX-4); batches without steps do not count."""
    stage = batch.stage
    before = Q(stage=stage, position__lt=batch.position) | Q(stage__position__lt=stage.position)
    earlier = Batch.objects.filter(before, stage__version=stage.version_id, threads__steps__isnull=False)
    return earlier.order_by("-stage__position", "-position").first()


def expected_files(artifact: HandoffArtifact) -> dict[str, str]:
    """Path -> SHA-256 of what an artifact's files have to be; outputs that a later artifact replaced are left out."""
    outputs = dict(artifact.outputs.values_list("path", "sha256"))
    later = OutputFile.objects.filter(
        path__in=outputs, artifact__workstream=artifact.workstream_id, artifact__sequence__gt=artifact.sequence
    ).exclude(artifact__state=ArtifactState.QUARANTINED)
    replaced = set(later.values_list("path", flat=True))
    own = {path: digest for path, digest in outputs.items() if path not in replaced}
    return {artifact.path: artifact.sha256, **own}
