"""Which handover artifacts somebody may still read: the ones whose loss has to stop work (EC-3)."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import OPEN_TASK, ArtifactState, TaskStatus
from orchestrator.models import Batch, HandoffArtifact, OutputFile, Task, Workstream
from orchestrator.queries.base.prepared import Prepared

#: States in which the file has to stand in the work tree.
STANDING = [ArtifactState.COMMITTED.value, ArtifactState.DAMAGED.value]


def handovers_in_use(workstream: Workstream) -> Sequence[HandoffArtifact]:
    """The newest handover of every complete task that an open one builds on: it is named by an open step, or
    stands in the first open batch or the one before it. The cost follows the open frontier, not the plan."""
    found = _first_open(workstream.pk)
    if not found:
        return []
    here = found[0]
    before = batch_before(here)
    rows = _of_batches(workstream.pk, [here.pk, *([before.pk] if before else [])])
    return list({row.attempt.task_id: row for row in rows}.values())


@Prepared
def _first_open(workstream: int) -> QuerySet[Batch]:
    open_tasks = Task.objects.filter(workstream=workstream, status__in=OPEN_TASK)
    first = Batch.objects.filter(threads__steps__tasks__in=open_tasks)
    return first.select_related("stage").order_by("stage__position", "position")[:1]


@Prepared
def _of_batches(workstream: int, batches: list[int]) -> QuerySet[HandoffArtifact]:
    open_tasks = Task.objects.filter(workstream=workstream, status__in=OPEN_TASK)
    read = Q(step__needed_by__step__tasks__in=open_tasks) | Q(step__thread__batch__in=batches)
    tasks = Task.objects.filter(read, workstream=workstream, status=TaskStatus.COMPLETE).distinct()
    rows = HandoffArtifact.objects.filter(
        workstream=workstream, attempt__task__in=tasks, event__in=RESULT_EVENTS, state__in=STANDING
    )
    return rows.select_related("attempt__task__step").order_by("sequence")


def batch_before(batch: Batch) -> Batch | None:
    """The batch that has to be complete before this one starts (BX-4); batches without steps do not count."""
    stage = batch.stage
    return next(iter(_earlier(stage.version_id, stage.pk, stage.position, batch.position)), None)


@Prepared
def _earlier(version: int, stage: int, stage_position: int, position: int) -> QuerySet[Batch]:
    before = Q(stage=stage, position__lt=position) | Q(stage__position__lt=stage_position)
    earlier = Batch.objects.filter(before, stage__version=version, threads__steps__isnull=False)
    return earlier.order_by("-stage__position", "-position")[:1]


def expected_files(artifact: HandoffArtifact) -> dict[str, str]:
    """Path -> SHA-256 of what an artifact's files have to be; outputs that a later artifact replaced are left
    out.
    """
    outputs = dict(_outputs(artifact.pk))
    if not outputs:
        return {artifact.path: artifact.sha256}
    later = OutputFile.objects.filter(
        path__in=outputs,
        artifact__workstream=artifact.workstream_id,
        artifact__sequence__gt=artifact.sequence,
    ).exclude(artifact__state=ArtifactState.QUARANTINED)
    replaced = set(later.values_list("path", flat=True))
    own = {path: digest for path, digest in outputs.items() if path not in replaced}
    return {artifact.path: artifact.sha256, **own}


@Prepared
def _outputs(artifact: int) -> QuerySet[OutputFile, tuple[str, str]]:
    return OutputFile.objects.filter(artifact=artifact).order_by("path").values_list("path", "sha256")
