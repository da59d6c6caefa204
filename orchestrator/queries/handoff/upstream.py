"""What a step works from: the handover artifacts of the steps before it (FR-014)."""

from collections.abc import Iterable, Sequence

from django.db.models import Prefetch, QuerySet

from orchestrator.core.files.handoff import RESULT_EVENTS, OutputPlace
from orchestrator.core.terms import ArtifactState, StageKind, TaskStatus
from orchestrator.models import Batch, HandoffArtifact, OutputFile, Step, StepNeed, Task, Workstream
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.base.prepared import Prepared
from orchestrator.queries.handoff.handovers import batch_before

#: States in which an artifact is part of the record.
IN_FORCE = [ArtifactState.PENDING.value, ArtifactState.COMMITTED.value, ArtifactState.DAMAGED.value]


def output_place(workstream: Workstream, step: Step) -> OutputPlace:
    """Where the outputs of a step stand in the workspace."""
    batch = step.thread.batch
    return OutputPlace(
        workstream.slug, batch.stage.slug, batch.slug, step.thread.slug, StageKind(batch.stage.kind)
    )


def with_output_names(artifacts: QuerySet[HandoffArtifact]) -> QuerySet[HandoffArtifact]:
    """With the paths and digests of their outputs, without the contents."""
    return artifacts.prefetch_related(Prefetch("outputs", OutputFile.objects.defer("content")))


class Upstream:
    """What steps of one workstream work from; what several of them share is read once. Valid for one act:
    nothing may be handed over while it is in use."""

    def __init__(self, workstream: Workstream) -> None:
        self.workstream = workstream
        self._steps: dict[int, frozenset[int]] = {}
        self._batches: dict[int, frozenset[int]] = {}
        self._results: dict[frozenset[int], Sequence[HandoffArtifact]] = {}

    def results(self, step: Step) -> Sequence[HandoffArtifact]:
        """The newest handover of every step that one waits for, by sequence; what stands before it for a
        skipped one."""
        before = self._before(step)
        if before not in self._results:
            self._results[before] = self._newest_results(self._passing_over_skipped(before))
        return self._results[before]

    def newest(self, tasks: Sequence[int]) -> dict[int, HandoffArtifact]:
        """The newest artifact of each of these tasks, by task id."""
        found: dict[int, HandoffArtifact] = {}
        for some in in_parts(sorted(tasks)):
            found.update(_newest(_of_tasks(some)))
        return found

    def _newest_results(self, steps: Iterable[int]) -> Sequence[HandoffArtifact]:
        found: dict[int, HandoffArtifact] = {}
        for some in in_parts(sorted(steps)):
            found.update(_newest(_results_of(self.workstream.pk, some)))
        return sorted(found.values(), key=lambda artifact: artifact.sequence)

    def _passing_over_skipped(self, steps: frozenset[int]) -> set[int]:
        """A skipped step hands nothing over, so those before it take its place (AD-8)."""
        found: set[int] = set()
        passed: set[int] = set()
        near = set(steps)
        while near:
            over = self._skipped(near - passed)
            passed |= {one.pk for one in over}
            found |= near - passed
            near = {before for one in over for before in self._before(one)} - found - passed
        return found

    def _skipped(self, steps: Iterable[int]) -> list[Step]:
        found: list[int] = []
        for some in in_parts(sorted(steps)):
            found += _skipped_steps(self.workstream.pk, some)
        rows = Step.objects.select_related("thread__batch__stage").order_by()
        return [step for some in in_parts(found) for step in rows.filter(pk__in=some)]

    def _before(self, step: Step) -> frozenset[int]:
        """Ids of the steps that one waits for directly: what it names, the run before it in its thread, or
        else the batch before (design section 3)."""
        if step.pk not in self._steps:
            before = self._run_before(step) if step.run_index else self._batch_before(step.thread.batch)
            self._steps[step.pk] = before.union(_needed_by(step.pk))
        return self._steps[step.pk]

    @staticmethod
    def _run_before(step: Step) -> frozenset[int]:
        """Found from the step's own place backwards, so that it does not matter how long the thread is."""
        found = _nearest(step.thread_id, step.run_index - 1, step.position)
        if found and not found[0][1]:
            return frozenset({found[0][0]})
        run = Step.objects.filter(thread=step.thread_id, run_index=step.run_index - 1)
        return frozenset(run.order_by().values_list("pk", flat=True))

    def _batch_before(self, here: Batch) -> frozenset[int]:
        if here.pk not in self._batches:
            batch = batch_before(here)
            steps = Step.objects.filter(thread__batch=batch) if batch else Step.objects.none()
            self._batches[here.pk] = frozenset(steps.order_by().values_list("pk", flat=True))
        return self._batches[here.pk]


def _newest(artifacts: Iterable[HandoffArtifact]) -> dict[int, HandoffArtifact]:
    """The newest one of each task. Sorted here: asked to sort, SQLite walks all artifacts of the
    workstream.
    """
    ordered = sorted(artifacts, key=lambda artifact: artifact.sequence)
    return {artifact.attempt.task_id: artifact for artifact in ordered}


@Prepared
def _of_tasks(tasks: list[int]) -> QuerySet[HandoffArtifact]:
    rows = HandoffArtifact.objects.filter(attempt__task__in=tasks, state__in=IN_FORCE)
    return rows.select_related("attempt").order_by()


@Prepared
def _results_of(workstream: int, steps: list[int]) -> QuerySet[HandoffArtifact]:
    rows = HandoffArtifact.objects.filter(
        attempt__task__workstream=workstream,
        attempt__task__step__in=steps,
        event__in=RESULT_EVENTS,
        state__in=IN_FORCE,
    )
    return with_output_names(rows).select_related("attempt__task__step").order_by()


@Prepared
def _skipped_steps(workstream: int, steps: list[int]) -> QuerySet[Task, int]:
    tasks = Task.objects.filter(workstream=workstream, step__in=steps, status=TaskStatus.SKIPPED).order_by()
    return tasks.values_list("step_id", flat=True)


@Prepared
def _needed_by(step: int) -> QuerySet[StepNeed, int]:
    return StepNeed.objects.filter(step=step).order_by().values_list("needed_id", flat=True)


@Prepared
def _nearest(thread: int, run: int, position: int) -> QuerySet[Step, tuple[int, bool]]:
    steps = Step.objects.filter(thread=thread, run_index=run, position__lt=position).order_by("-position")
    return steps.values_list("pk", "parallel")[:1]
