"""What a step works from: the handover artifacts of the steps before it (FR-014)."""

from collections.abc import Sequence

from django.db.models import QuerySet

from orchestrator.core.handoff import RESULT_EVENTS, OutputPlace
from orchestrator.core.terms import ArtifactState, StageKind, TaskStatus
from orchestrator.models import HandoffArtifact, Step, Task, Workstream
from orchestrator.queries.handovers import batch_before

#: States in which an artifact is part of the record.
IN_FORCE = [ArtifactState.PENDING.value, ArtifactState.COMMITTED.value, ArtifactState.DAMAGED.value]


def output_place(workstream: Workstream, step: Step) -> OutputPlace:
    """Where the outputs of a step stand in the workspace."""
    batch = step.thread.batch
    return OutputPlace(workstream.slug, batch.stage.slug, batch.slug, step.thread.slug, StageKind(batch.stage.kind))


def handovers_before(task: Task, step: Step) -> Sequence[HandoffArtifact]:
    """The newest handover of every step that `step` waits for, and the newest artifact of the task, by sequence."""
    own = _in_force(task).filter(attempt__task=task).order_by("-sequence").first()
    found = {artifact.pk: artifact for artifact in [*results_before(task, step), *([own] if own else [])]}
    return sorted(found.values(), key=lambda artifact: artifact.sequence)


def results_before(task: Task, step: Step) -> Sequence[HandoffArtifact]:
    """The newest handover of every step that `step` waits for, by sequence; what stands before it for a skipped one."""
    steps = _passing_over_skipped(task, step)
    results = _in_force(task).filter(event__in=RESULT_EVENTS, attempt__task__step__in=steps)
    newest = {a.attempt.task_id: a for a in results.select_related("attempt__task__step").order_by("sequence")}
    return sorted(newest.values(), key=lambda artifact: artifact.sequence)


def _in_force(task: Task) -> QuerySet[HandoffArtifact]:
    return HandoffArtifact.objects.filter(workstream=task.workstream_id, state__in=IN_FORCE)


def _passing_over_skipped(task: Task, step: Step) -> set[int]:
    """Ids of the steps before one; a skipped step hands nothing over, so those before it take its place (AD-8)."""
    found: set[int] = set()
    passed: set[int] = set()
    near = set(steps_before(step))
    while near:
        skipped = Step.objects.filter(
            pk__in=near - passed, tasks__workstream=task.workstream_id, tasks__status=TaskStatus.SKIPPED
        ).select_related("thread__batch__stage")
        over = list(skipped)
        passed |= {one.pk for one in over}
        found |= near - passed
        near = {before for one in over for before in steps_before(one)} - found - passed
    return found


def steps_before(step: Step) -> Sequence[int]:
    """Ids of the steps that one waits for directly: what it names, the run before it in its thread, or else the batch
    before (design section 3)."""
    named = set(step.needs.values_list("needed_id", flat=True))
    if step.run_index:
        before = Step.objects.filter(thread=step.thread_id, run_index=step.run_index - 1)
    else:
        batch = batch_before(step.thread.batch)
        before = Step.objects.filter(thread__batch=batch) if batch else Step.objects.none()
    return sorted(named.union(before.values_list("pk", flat=True)))
