"""One workstream as the scheduler sees it: a fixed number of queries, whatever its size."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.handoff import RESULT_EVENTS
from orchestrator.core.schedule import Claims, Place, Snapshot, TaskView
from orchestrator.core.terms import (
    ArtifactState,
    AttemptStatus,
    Reason,
    TaskStatus,
    VersionStatus,
    WorkstreamStatus,
)
from orchestrator.models import (
    Attempt,
    Blocker,
    GateReviewer,
    HandoffArtifact,
    OwnedFiles,
    PreHandoffReview,
    StepNeed,
    StepResource,
    Task,
    Workstream,
)
from orchestrator.models.attempt import LIVE
from orchestrator.queries.conditions import conditions_of, skipped_because
from orchestrator.queries.threads import place_of, sole_executors


@dataclass(frozen=True, slots=True)
class Loaded:
    """The snapshot with the rows behind it, by step key."""

    snapshot: Snapshot
    tasks: dict[str, Task]


def load_snapshot(workstream: Workstream) -> Loaded:
    # Tasks of steps that a later version dropped keep their old definition and take no part any more.
    tasks = list(
        Task.objects.filter(workstream=workstream, step__version=workstream.version_id).select_related(
            "step__thread__batch__stage", "verdict"
        )
    )
    facts = _Facts(workstream, tasks)
    views = tuple(facts.view(task) for task in tasks)
    return Loaded(Snapshot(views, _hold(workstream)), {task.step.key: task for task in tasks})


def _hold(workstream: Workstream) -> tuple[Reason, str] | None:
    """What holds the whole workstream, in the order of design section 3."""
    if workstream.status in {WorkstreamStatus.COMPLETED, WorkstreamStatus.ARCHIVED}:
        return Reason.CLOSED, f"the workstream is {workstream.status}"
    # A superseded version goes on for the workstreams that were not migrated from it.
    if workstream.version.status not in {VersionStatus.APPROVED, VersionStatus.SUPERSEDED}:
        return Reason.PLAN_NOT_APPROVED, "waits for the plan to be approved"
    if not PreHandoffReview.objects.filter(workstream=workstream).exists():
        return Reason.PREHANDOFF, "waits for the pre-handoff review to be signed"
    return None


class _Facts:
    """What the views need, gathered per workstream."""

    def __init__(self, workstream: Workstream, tasks: Sequence[Task]) -> None:
        self.conditions = conditions_of(workstream, tasks)
        self.live = {
            a.task_id: a
            for a in Attempt.objects.filter(task__workstream=workstream, status__in=LIVE).select_related(
                "assignment__executor"
            )
        }
        self.failures = self._failures(workstream)
        self.assigned = sole_executors(workstream)
        blockers = Blocker.objects.filter(task__workstream=workstream, resolved_at=None).order_by("-declared_at")
        self.blockers = dict(blockers.values_list("task_id", "note"))
        self.artifacts = self._artifacts(workstream)
        steps = {"step__tasks__workstream": workstream}
        self.needs = _grouped(StepNeed.objects.filter(**steps).values_list("step_id", "needed__key"))
        self.reviewers = _grouped(GateReviewer.objects.filter(**steps).values_list("step_id", "name"))
        resources = StepResource.objects.filter(**steps)
        self.files = _grouped(resources.filter(is_files=True).values_list("step_id", "name"))
        self.resources = _grouped(resources.filter(is_files=False).values_list("step_id", "name"))
        owned = OwnedFiles.objects.filter(thread__batch__stage__version=workstream.version_id)
        self.owned = _grouped(owned.values_list("thread_id", "pattern"))

    @staticmethod
    def _failures(workstream: Workstream) -> dict[int, str]:
        """The error of every failed attempt that nobody has followed up."""
        failed = Attempt.objects.filter(
            task__workstream=workstream,
            status=AttemptStatus.FAILED,
            followed_up_at=None,
            task__status=TaskStatus.BLOCKED,
        )
        return dict(failed.values_list("task_id", "error"))

    @staticmethod
    def _artifacts(workstream: Workstream) -> dict[int, str]:
        """Why the latest handover of a task cannot be used; tasks with a usable one are left out."""
        announced = HandoffArtifact.objects.filter(workstream=workstream, event__in=RESULT_EVENTS)
        handovers = announced.exclude(state=ArtifactState.QUARANTINED).order_by("sequence")
        latest = {a[0]: a[1:] for a in handovers.values_list("attempt__task_id", "state", "problem", "path")}
        return {
            task_id: problem or f"{path} is not committed yet"
            for task_id, (state, problem, path) in latest.items()
            if state != ArtifactState.COMMITTED
        }

    def view(self, task: Task) -> TaskView:
        step, thread = task.step, task.step.thread
        live = self.live.get(task.pk)
        running = live is not None and live.status == AttemptStatus.RUNNING
        complete = task.status == TaskStatus.COMPLETE
        return TaskView(
            key=step.key,
            place=Place(thread.batch.stage.position, thread.batch.position, thread.position, step.position),
            status=TaskStatus(task.status),
            gate=step.is_gate,
            parallel=step.parallel,
            needs=self.needs.get(step.pk, ()),
            claims=Claims(
                thread.lane,
                self.owned.get(thread.pk, ()),
                self.files.get(step.pk, ()),
                self.resources.get(step.pk, ()),
            ),
            live=AttemptStatus(live.status) if live else None,
            executor=live.assignment.executor.name if live and running else "",
            assigned=self.assigned.get(place_of(thread), ""),
            failure=self.failures.get(task.pk, ""),
            blocker=self.blockers.get(task.pk, ""),
            note=task.intervention_note if task.needs_human else "",
            artifact=self.artifacts.get(task.pk, "") if complete else "",
            reviewers=self.reviewers.get(step.pk, ()),
            when=self.conditions.get(task.pk),
            skipped=skipped_because(task),
        )


def _grouped(pairs: object) -> dict[int, tuple[str, ...]]:
    groups: dict[int, list[str]] = defaultdict(list)
    for key, value in pairs:  # type: ignore[attr-defined]
        groups[key].append(value)
    return {key: tuple(sorted(values)) for key, values in groups.items()}
