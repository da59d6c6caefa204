"""What a step works from: the handover artifacts of the steps before it (FR-014)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest

from django.db.models import Prefetch, QuerySet

from orchestrator.core.files.handoff import RESULT_EVENTS, OutputPlace
from orchestrator.core.terms import ArtifactState, StageKind, TaskStatus
from orchestrator.models import Attempt, Batch, HandoffArtifact, OutputFile, Step, StepNeed, Task, Workstream
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.base.sql import Found, Joined, Table
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


def outputs_of(handover: HandoffArtifact) -> dict[str, str]:
    """Path -> SHA-256 of what was handed over with an artifact."""
    return {output.path: output.sha256 for output in handover.outputs.all()}


class Upstream:
    """What steps of one workstream work from; what several of them share is read once. Valid for one act:
    nothing may be handed over while it is in use."""

    def __init__(self, workstream: Workstream) -> None:
        self.workstream = workstream
        self._steps: dict[int, frozenset[int]] = {}
        self._batches: dict[int, frozenset[int]] = {}
        self._results: dict[frozenset[int], Sequence[HandoffArtifact]] = {}
        self._outputs: Mapping[int, Mapping[str, str]] = {}

    @classmethod
    def of_launch(
        cls, workstream: Workstream, tasks: Sequence[Task], needed: Mapping[int, set[int]]
    ) -> "Upstream":
        """What tasks that are launched work from, read in one statement; `needed` are the ids of the steps
        that each step names. What stands before a skipped step is read when it is asked for."""
        upstream = cls(workstream)
        ground = _Ground(_before_launched(workstream, tasks, needed))
        upstream._outputs = ground.outputs
        for task in tasks:
            step = task.step
            before = ground.before(step, needed.get(step.pk, set()))
            upstream._steps[step.pk] = before
            if before not in upstream._results and not ground.is_skipped(before):
                upstream._results[before] = ground.results(before)
        return upstream

    def results(self, step: Step) -> Sequence[HandoffArtifact]:
        """The newest handover of every step that one waits for, by sequence; what stands before it for a
        skipped one."""
        before = self._before(step)
        if before not in self._results:
            self._results[before] = self._newest_results(self._passing_over_skipped(before))
        return self._results[before]

    def outputs_of(self, handover: HandoffArtifact) -> Mapping[str, str]:
        """Path -> SHA-256 of what was handed over with one of the results."""
        known = self._outputs.get(handover.pk)
        return outputs_of(handover) if known is None else known

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


class _Ground:
    """The tasks that stand before launched ones, with their newest results."""

    def __init__(self, rows: Iterable[Found]) -> None:
        self._in_runs: dict[tuple[int | None, int], set[int]] = defaultdict(set)
        self._in_batches: dict[int, set[int]] = defaultdict(set)
        self._skipped: set[int] = set()
        self._newest: dict[int, HandoffArtifact] = {}
        #: By artifact: path -> SHA-256.
        self.outputs: dict[int, dict[str, str]] = defaultdict(dict)
        for row in rows:
            task: Task = row["task"]
            self._in_runs[task.thread_id, task.run_index].add(task.step_id)
            self._in_batches[task.batch_index].add(task.step_id)
            if task.status == TaskStatus.SKIPPED:
                self._skipped.add(task.step_id)
            elif artifact := row["artifact"]:
                task.step, artifact.attempt = row["step"], row["attempt"]
                artifact.attempt.task = task
                self._newest[task.step_id] = artifact
                outputs = self.outputs[artifact.pk]
                if row["output"]:
                    outputs[row["output"]] = row["digest"]

    def before(self, step: Step, needed: Iterable[int]) -> frozenset[int]:
        """Ids of the steps that one waits for directly."""
        if step.run_index:
            near = self._in_runs.get((step.thread_id, step.run_index - 1), set())
        else:
            near = self._in_batches.get(step.batch_index - 1, set())
        return frozenset(near).union(needed)

    def is_skipped(self, steps: frozenset[int]) -> bool:
        return not self._skipped.isdisjoint(steps)

    def results(self, steps: Iterable[int]) -> Sequence[HandoffArtifact]:
        found = [self._newest[step] for step in steps if step in self._newest]
        return sorted(found, key=lambda artifact: artifact.sequence)


def _before_launched(
    workstream: Workstream, tasks: Iterable[Task], needed: Mapping[int, set[int]]
) -> Iterator[Found]:
    """One task stands for all of its run, in the first run for all of its batch: what is before them is the
    same."""
    alike = {(t.thread_id, t.run_index) if t.run_index else t.batch_index: t.pk for t in tasks}
    named = {step for task in tasks for step in needed.get(task.step_id, ())}
    pk, version = workstream.pk, workstream.version_id
    parts = zip_longest(in_parts(sorted(alike.values())), in_parts(sorted(named)), fillvalue=())
    for some, steps in parts:
        yield from _launch_ground(len(some), len(steps)).rows(*some, pk, version, *some, pk, *steps)


_STATES = ", ".join(f"'{state}'" for state in IN_FORCE)
_RESULTS = ", ".join(f"'{event.value}'" for event in sorted(RESULT_EVENTS))


@lru_cache(200)
def _launch_ground(tasks: int, steps: int) -> Joined:
    launched = f"IN ({', '.join(['%s'] * tasks) or 'NULL'})"
    named = f"IN ({', '.join(['%s'] * steps) or 'NULL'})"
    return Joined(
        {
            "task": Table(Task, ("step_id", "thread_id", "batch_index", "run_index", "status")),
            "step": Table(Step, ("key", "kind")),
            "attempt": Table(Attempt, ("commit", "result", "outcome", "input_digest", "task_id")),
            "artifact": Table(HandoffArtifact, ("sequence", "path", "sha256", "attempt_id")),
        },
        f"""(
SELECT run.id AS id FROM orchestrator_task own
JOIN orchestrator_task run ON run.workstream_id = own.workstream_id AND run.open_batch IS NULL
  AND run.thread_id = own.thread_id AND run.run_index = own.run_index - 1
WHERE own.id {launched} AND own.run_index > 0
UNION SELECT before.id FROM orchestrator_step place
JOIN orchestrator_task before ON before.step_id = place.id AND before.workstream_id = %s
WHERE place.version_id = %s AND place.batch_index IN (
  SELECT own.batch_index - 1 FROM orchestrator_task own WHERE own.id {launched} AND own.run_index = 0)
UNION SELECT named.id FROM orchestrator_task named
WHERE named.workstream_id = %s AND named.step_id {named}) ground
JOIN orchestrator_task task ON task.id = ground.id
JOIN orchestrator_step step ON step.id = task.step_id
LEFT JOIN orchestrator_attempt attempt ON attempt.task_id = task.id
LEFT JOIN orchestrator_handoffartifact artifact ON artifact.attempt_id = attempt.id
  AND artifact.event IN ({_RESULTS}) AND artifact.state IN ({_STATES})
LEFT JOIN orchestrator_outputfile output ON output.artifact_id = artifact.id
ORDER BY artifact.sequence, output.path""",
        {"output": "output.path", "digest": "output.sha256"},
    )


def _newest(artifacts: Iterable[HandoffArtifact]) -> dict[int, HandoffArtifact]:
    """The newest one of each task.

    Sorted here: asked to sort, SQLite walks all artifacts of the workstream.
    """
    ordered = sorted(artifacts, key=lambda artifact: artifact.sequence)
    return {artifact.attempt.task_id: artifact for artifact in ordered}


def _of_tasks(tasks: Sequence[int]) -> list[HandoffArtifact]:
    rows = HandoffArtifact.objects.filter(attempt__task__in=tasks, state__in=IN_FORCE)
    return list(rows.select_related("attempt").order_by())


def _results_of(workstream: int, steps: Sequence[int]) -> list[HandoffArtifact]:
    rows = HandoffArtifact.objects.filter(
        attempt__task__workstream=workstream,
        attempt__task__step__in=steps,
        event__in=RESULT_EVENTS,
        state__in=IN_FORCE,
    )
    return list(with_output_names(rows).select_related("attempt__task__step").order_by())


def _skipped_steps(workstream: int, steps: Sequence[int]) -> list[int]:
    tasks = Task.objects.filter(workstream=workstream, step__in=steps, status=TaskStatus.SKIPPED).order_by()
    return list(tasks.values_list("step_id", flat=True))


def _needed_by(step: int) -> list[int]:
    return list(StepNeed.objects.filter(step=step).order_by().values_list("needed_id", flat=True))


def _nearest(thread: int, run: int, position: int) -> list[tuple[int, bool]]:
    steps = Step.objects.filter(thread=thread, run_index=run, position__lt=position).order_by("-position")
    return list(steps.values_list("pk", "parallel")[:1])
