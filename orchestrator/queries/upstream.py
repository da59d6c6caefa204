"""What a step works from: the handover artifacts of the steps before it (FR-014)."""

from collections.abc import Iterable, Sequence

from django.db.models import Prefetch, QuerySet

from orchestrator.core.handoff import RESULT_EVENTS, OutputPlace
from orchestrator.core.terms import ArtifactState, StageKind, TaskStatus
from orchestrator.models import HandoffArtifact, OutputFile, Step, Workstream
from orchestrator.queries.handovers import batch_before
from orchestrator.queries.parts import in_parts

#: States in which an artifact is part of the record.
IN_FORCE = [ArtifactState.PENDING.value, ArtifactState.COMMITTED.value, ArtifactState.DAMAGED.value]


def output_place(workstream: Workstream, step: Step) -> OutputPlace:
    """Where the outputs of a step stand in the workspace."""
    batch = step.thread.batch
    return OutputPlace(workstream.slug, batch.stage.slug, batch.slug, step.thread.slug, StageKind(batch.stage.kind))


def with_output_names(artifacts: QuerySet[HandoffArtifact]) -> QuerySet[HandoffArtifact]:
    """With the paths and digests of their outputs, without the contents."""
    return artifacts.prefetch_related(Prefetch("outputs", OutputFile.objects.defer("content")))


class Upstream:
    """What steps of one workstream work from; what several of them share is read once. Valid for one act: nothing may
    be handed over while it is in use."""

    def __init__(self, workstream: Workstream) -> None:
        self.workstream = workstream
        self._batches: dict[int, frozenset[int]] = {}
        self._results: dict[frozenset[int], Sequence[HandoffArtifact]] = {}

    def results(self, step: Step) -> Sequence[HandoffArtifact]:
        """The newest handover of every step that one waits for, by sequence; what stands before it for a skipped
        one."""
        before = self._before(step)
        if before not in self._results:
            self._results[before] = self._newest_results(self._passing_over_skipped(before))
        return self._results[before]

    def newest(self, tasks: Sequence[int]) -> dict[int, HandoffArtifact]:
        """The newest artifact of each of these tasks, by task id."""
        own = self._in_force().filter(attempt__task__in=tasks).select_related("attempt").order_by("sequence")
        return {artifact.attempt.task_id: artifact for artifact in own}

    def _in_force(self) -> QuerySet[HandoffArtifact]:
        return HandoffArtifact.objects.filter(workstream=self.workstream, state__in=IN_FORCE)

    def _newest_results(self, steps: Iterable[int]) -> Sequence[HandoffArtifact]:
        found: dict[int, HandoffArtifact] = {}
        for some in in_parts(sorted(steps)):
            rows = self._in_force().filter(event__in=RESULT_EVENTS, attempt__task__step__in=some)
            for artifact in with_output_names(rows).select_related("attempt__task__step").order_by("sequence"):
                found[artifact.attempt.task_id] = artifact
        return sorted(found.values(), key=lambda artifact: artifact.sequence)

    def _passing_over_skipped(self, steps: frozenset[int]) -> set[int]:
        """A skipped step hands nothing over, so those before it take its place (AD-8)."""
        found: set[int] = set()
        passed: set[int] = set()
        near = set(steps)
        while near:
            over = [step for some in in_parts(sorted(near - passed)) for step in self._skipped(some)]
            passed |= {one.pk for one in over}
            found |= near - passed
            near = {before for one in over for before in self._before(one)} - found - passed
        return found

    def _skipped(self, steps: Sequence[int]) -> QuerySet[Step]:
        skipped = Step.objects.filter(pk__in=steps, tasks__workstream=self.workstream, tasks__status=TaskStatus.SKIPPED)
        return skipped.select_related("thread__batch__stage")

    def _before(self, step: Step) -> frozenset[int]:
        """Ids of the steps that one waits for directly: what it names, the run before it in its thread, or else the
        batch before (design section 3)."""
        named = step.needs.values_list("needed_id", flat=True)
        if step.run_index:
            run = Step.objects.filter(thread=step.thread_id, run_index=step.run_index - 1)
            return frozenset(named).union(run.values_list("pk", flat=True))
        here = step.thread.batch
        if here.pk not in self._batches:
            batch = batch_before(here)
            steps = Step.objects.filter(thread__batch=batch) if batch else Step.objects.none()
            self._batches[here.pk] = frozenset(steps.values_list("pk", flat=True))
        return self._batches[here.pk].union(named)
