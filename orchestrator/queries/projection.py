"""The state files of a workstream, from its rows (WF-7, BX-6): what the workspace shows is what the pages show."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from orchestrator.core import dashboard
from orchestrator.core.dashboard import (
    Approval,
    BatchBlock,
    DashboardView,
    GateBlock,
    LaneRow,
    LearningEntry,
    Mark,
    StepLine,
    StreamAssignment,
    StreamEntry,
    TaskEntry,
)
from orchestrator.core.handoff import timestamp, workstream_folder
from orchestrator.core.terms import AttemptStatus, GateKind, TaskStatus
from orchestrator.models import Assignment, Attempt, Learning, Task, Workstream
from orchestrator.models.attempt import LIVE

INDEX = "workstreams/index.json"


def projected_files(workstream_id: int) -> dict[str, bytes]:
    """Path -> bytes. Before approval there is the plan and the registry only: tasks do not exist yet (WF-3)."""
    workstream = Workstream.objects.select_related("version").get(pk=workstream_id)
    folder = workstream_folder(workstream.slug)
    texts = {f"{folder}/PLAN.md": workstream.version.source, INDEX: index_text()}
    if board := Board.of(workstream):
        texts[f"{folder}/tasks.json"] = board.tasks_text()
        texts[f"{folder}/EXECUTION-DASHBOARD.md"] = dashboard.render_dashboard(board.view())
        texts[f"{folder}/LEARNINGS.md"] = learnings_text(workstream)
    return {path: text.encode() for path, text in texts.items()}


def index_text() -> str:
    """The registry of all workstreams in the order they were registered."""
    held: dict[int, list[StreamAssignment]] = defaultdict(list)
    assignments = Assignment.objects.filter(released_at=None).select_related("executor", "attempt__task__step")
    for assignment in assignments.order_by("attempt__task__step__key"):
        task = assignment.attempt.task
        held[task.workstream_id].append(
            StreamAssignment(task.step.key, assignment.executor.name, timestamp(assignment.claimed_at))
        )
    rows = Workstream.objects.select_related("version__decided_by", "owner").order_by("created_at", "pk")
    return dashboard.render_index([_stream(row, order, held[row.pk]) for order, row in enumerate(rows)])


def _stream(row: Workstream, order: int, held: Sequence[StreamAssignment]) -> StreamEntry:
    version = row.version
    return StreamEntry(
        id=row.slug,
        uuid=str(row.uuid),
        name=row.title,
        order=order,
        path=workstream_folder(row.slug),
        status=row.status,
        domain=row.domain,
        owner=row.owner.get_username(),
        priority=row.priority,
        created_at=timestamp(row.created_at),
        updated_at=timestamp(row.updated_at),
        approval=Approval(
            status=version.status,
            plan_hash=version.source_sha256,
            approved_by=version.decided_by.get_username() if version.decided_by else "",
            approved_at=_moment(version.decided_at),
        ),
        assignments=tuple(held),
    )


def learnings_text(workstream: Workstream) -> str:
    rows = Learning.objects.filter(workstream=workstream).select_related("author").order_by("recorded_at", "pk")
    return dashboard.render_learnings(
        workstream.title,
        [
            LearningEntry(
                row.after,
                timestamp(row.recorded_at),
                row.author.get_username(),
                row.went_wrong,
                row.worked,
                row.tighten,
            )
            for row in rows
        ],
    )


class Board:
    """The tasks of one workstream in plan order, with their newest attempt."""

    def __init__(self, workstream: Workstream, tasks: Sequence[Task]) -> None:
        self.workstream = workstream
        self.tasks = tasks
        attempts = Attempt.objects.filter(task__workstream=workstream).order_by("number")
        self.attempts = {
            attempt.task_id: attempt for attempt in attempts.select_related("assignment__executor").iterator()
        }
        self.lines = {task.pk: self._line(task) for task in tasks}

    @classmethod
    def of(cls, workstream: Workstream) -> "Board | None":
        """None while there are no tasks."""
        tasks = Task.objects.filter(workstream=workstream).select_related("step__thread__batch__stage")
        ordered = tasks.order_by(
            "step__thread__batch__stage__position",
            "step__thread__batch__position",
            "step__thread__position",
            "step__position",
        )
        return cls(workstream, list(ordered)) if ordered else None

    def tasks_text(self) -> str:
        return dashboard.render_tasks(self.workstream.slug, self._updated(), [self._entry(task) for task in self.tasks])

    def view(self) -> DashboardView:
        return DashboardView(
            title=self.workstream.title, updated=self._updated(), lanes=self._lanes(), batches=self._batches()
        )

    def _updated(self) -> str:
        return timestamp(max(self.workstream.updated_at, *(task.updated_at for task in self.tasks)))

    def _entry(self, task: Task) -> TaskEntry:
        thread = task.step.thread
        attempt = self.attempts.get(task.pk)
        return TaskEntry(
            id=task.step.key,
            name=task.step.title,
            stage_name=thread.batch.stage.name,
            batch_name=thread.batch.name,
            thread_name=thread.name,
            status=task.status,
            created_at=timestamp(task.created_at),
            updated_at=timestamp(task.updated_at),
            breadcrumb=task.breadcrumb,
            assigned_agent=self._executor(task),
            attempt=attempt.number if attempt else 0,
            needs_human=task.needs_human,
            intervention_note=task.intervention_note,
        )

    def _executor(self, task: Task) -> str:
        attempt = self.attempts.get(task.pk)
        assignment = getattr(attempt, "assignment", None)
        return assignment.executor.name if assignment else ""

    def _line(self, task: Task) -> StepLine:
        mark, note = self._standing(task)
        return StepLine(task.step.key, task.step.title, mark, note)

    def _standing(self, task: Task) -> tuple[Mark, str]:
        attempt = self.attempts.get(task.pk)
        live = attempt is not None and attempt.status in LIVE
        match task.status:
            case TaskStatus.COMPLETE:
                return Mark.DONE, ""
            case TaskStatus.SKIPPED | TaskStatus.CANCELLED:
                return Mark.DONE, task.status
            case TaskStatus.BLOCKED:
                return Mark.BLOCKED, "failed" if attempt and attempt.status == AttemptStatus.FAILED else "blocked"
            case _ if task.needs_human:
                return Mark.BLOCKED, "needs a person"
            case TaskStatus.REVIEW:
                return Mark.ACTIVE, "waits for sign-off"
            case TaskStatus.ACTIVE:
                return Mark.ACTIVE, f"in progress, {self._executor(task)}"
        return (Mark.RUNNABLE, "") if live else (Mark.BLOCKED, "")

    def _lanes(self) -> tuple[LaneRow, ...]:
        lanes: dict[str, list[Task]] = defaultdict(list)
        for task in self.tasks:
            if not task.step.is_gate:
                lanes[task.step.thread.lane].append(task)
        return tuple(
            LaneRow(
                lane,
                tasks[0].step.thread.name,
                tasks[0].step.thread.worktree,
                tuple(self.lines[task.pk] for task in tasks),
            )
            for lane, tasks in lanes.items()
        )

    def _batches(self) -> tuple[BatchBlock, ...]:
        grouped: dict[int, list[Task]] = defaultdict(list)
        for task in self.tasks:
            grouped[task.step.thread.batch_id].append(task)
        return tuple(self._batch(tasks) for tasks in grouped.values())

    def _batch(self, tasks: Sequence[Task]) -> BatchBlock:
        return BatchBlock(
            title=str(tasks[0].step.thread.batch),
            steps=tuple(self.lines[task.pk] for task in tasks if not task.step.is_gate),
            gates=tuple(self._gate(task) for task in tasks if task.step.is_gate),
        )

    def _gate(self, task: Task) -> GateBlock:
        kind = "Merge Point" if task.step.gate_kind == GateKind.MERGE else f"{task.step.gate_kind.capitalize()} gate"
        return GateBlock(f"{kind} {task.step.key}", self.lines[task.pk], task.step.gate_action or task.step.title)


def _moment(at: datetime | None) -> str:
    return timestamp(at) if at else ""
