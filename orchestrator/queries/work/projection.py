"""The state files of a workstream, from its rows (WF-7, BX-6): what the workspace shows is what the pages
show.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from orchestrator.core.engine.order import Place
from orchestrator.core.engine.schedule import Verdict, decide
from orchestrator.core.engine.values import Snapshot
from orchestrator.core.files import dashboard
from orchestrator.core.files.board import BatchBlock, DashboardView, GateBlock, LaneRow, lane_label
from orchestrator.core.files.dashboard import (
    LearningEntry,
    TaskEntry,
)
from orchestrator.core.files.handoff import timestamp, workstream_folder
from orchestrator.core.files.marks import Mark, StepLine
from orchestrator.core.plans.graph import Graph, compile_graph, critical_path, open_before
from orchestrator.core.plans.lanes import lane_branch, lane_folder, lane_worktree
from orchestrator.core.plans.plan import BatchSpec, GateSpec, Need, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.terms import OPEN_TASK, ArtifactState, AssignmentMode, GateKind, Reason, TaskStatus
from orchestrator.models import Batch, Learning, Step, Task, Thread, ThreadAssignment, Workstream
from orchestrator.queries.base.sql import Joined, Table
from orchestrator.queries.engine.snapshot import Loaded, load_snapshot
from orchestrator.queries.engine.threads import place_of
from orchestrator.queries.handoff.documentation import documentation_file
from orchestrator.queries.plans.readings import plan_text
from orchestrator.queries.work.registry import INDEX, index_text


def projected_files(workstream: Workstream) -> dict[str, bytes]:
    """Path -> bytes. Before approval there is the plan and the registry only: tasks do not exist
    yet (WF-3).
    """
    folder = workstream_folder(workstream.slug)
    texts = {f"{folder}/PLAN.md": plan_text(workstream.version), INDEX: index_text()}
    if board := Board.of(workstream):
        texts[f"{folder}/tasks.json"] = board.tasks_text()
        texts[f"{folder}/EXECUTION-DASHBOARD.md"] = dashboard.render_dashboard(board.view())
        texts[f"{folder}/LEARNINGS.md"] = learnings_text(workstream)
    return {path: text.encode() for path, text in texts.items()} | documentation_file(workstream)


def learnings_text(workstream: Workstream) -> str:
    """LEARNINGS.md: what was recorded, in the order in which it was."""
    learnings: list[Learning] = [row["learning"] for row in _LEARNINGS.rows(workstream.pk)]
    entries = [
        LearningEntry(
            row.after, timestamp(row.recorded_at), row.recorded_as, row.went_wrong, row.worked, row.tighten
        )
        for row in learnings
    ]
    return dashboard.render_learnings(workstream.title, entries)


class Board:
    """The tasks of one workstream in plan order, as they stand once everything announced is committed."""

    def __init__(self, workstream: Workstream, loaded: Loaded) -> None:
        self.workstream = workstream
        self.tasks = sorted(loaded.tasks.values(), key=place)
        self.needs = {view.key: view.needs for view in loaded.snapshot.tasks}
        verdicts = decide(_as_committed(workstream, loaded.snapshot)).verdicts
        self.plan = plan_of_tasks(workstream.title, self.tasks, self.needs)
        self.ended = {task.step.key for task in self.tasks if task.status not in OPEN_TASK}
        graph = compile_graph(self.plan)
        self.lines = {
            verdict.key: _line(
                loaded.tasks[verdict.key], verdict, open_steps_before(graph, verdict, self.ended)
            )
            for verdict in verdicts
        }
        self.kept = loaded.ground.kept
        self.attempts = {
            row["task"]: _Try(row["number"], row["agent"], row["account"], row["kind"])
            for row in _ATTEMPTS.rows(workstream.pk)
        }

    @classmethod
    def of(cls, workstream: Workstream) -> "Board | None":
        """None while there are no tasks."""
        loaded = load_snapshot(workstream)
        return cls(workstream, loaded) if loaded.tasks else None

    def tasks_text(self) -> str:
        return dashboard.render_tasks(
            self.workstream.slug, self._updated(), [self._entry(task) for task in self.tasks]
        )

    def view(self) -> DashboardView:
        path = critical_path(self.plan, self.ended)
        return DashboardView(
            title=self.workstream.title,
            updated=self._updated(),
            lanes=self._lanes(),
            batches=self._batches(),
            path=tuple(self.lines[key] for key in path),
        )

    def _updated(self) -> str:
        return timestamp(max(self.workstream.updated_at, *(task.updated_at for task in self.tasks)))

    def _entry(self, task: Task) -> TaskEntry:
        thread = task.step.thread
        attempt = self.attempts.get(task.pk, NEVER)
        agent, account, kind = _executor_of(attempt, self.kept.get(place_of(thread)))
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
            assigned_agent=agent,
            agent_account=account,
            agent_kind=kind,
            attempt=attempt.number,
            needs_human=task.needs_human,
            intervention_note=task.intervention_note,
            proof=task.proof_shown,
        )

    def _lanes(self) -> tuple[LaneRow, ...]:
        lanes: dict[str, list[Task]] = defaultdict(list)
        for task in self.tasks:
            if not task.step.is_gate:
                thread = task.step.thread
                lanes[lane_label(str(thread.batch.stage.number), thread.batch.prefix, thread.lane)].append(
                    task
                )
        return tuple(self._lane(label, tasks) for label, tasks in lanes.items())

    def _lane(self, label: str, tasks: Sequence[Task]) -> LaneRow:
        """A lettered lane may be called otherwise in each batch: all its names are told."""
        names = dict.fromkeys(task.step.thread.name for task in tasks)
        lines = tuple(self.lines[task.step.key] for task in tasks)
        return LaneRow(label, ", ".join(names), *self._place(tasks[0].step.thread), lines)

    def _place(self, thread: Thread) -> tuple[str, str]:
        """The branch and the worktree that are made where the plan has a repository, else the worktree as the
        plan names it."""
        if not self.workstream.version.repository:
            return "", thread.worktree
        folder = lane_folder(thread.lane, thread.worktree)
        return lane_branch(self.workstream.slug, folder), lane_worktree(folder)

    def _batches(self) -> tuple[BatchBlock, ...]:
        grouped = groupby(self.tasks, key=lambda task: task.step.thread.batch)
        return tuple(self._batch(batch, list(tasks)) for batch, tasks in grouped)

    def _batch(self, batch: Batch, tasks: Sequence[Task]) -> BatchBlock:
        return BatchBlock(
            title=str(batch),
            steps=tuple(self.lines[task.step.key] for task in tasks if not task.step.is_gate),
            gates=tuple(self._gate(task.step) for task in tasks if task.step.is_gate),
            stage=str(batch.stage),
        )

    def _gate(self, step: Step) -> GateBlock:
        kind = "Merge Point" if step.gate_kind == GateKind.MERGE else f"{step.gate_kind.capitalize()} gate"
        unlocks = tuple(task.step.key for task in self.tasks if step.key in self.needs[task.step.key])
        return GateBlock(f"{kind} {step.key}", self.lines[step.key], step.gate_action or step.title, unlocks)


class _Try(NamedTuple):
    """The latest attempt of a task, and the executor that claimed it, if one did."""

    number: int
    agent: str | None = None
    account: str | None = None
    kind: str | None = None


NEVER = _Try(0)


def _executor_of(attempt: _Try, kept: ThreadAssignment | None) -> tuple[str, str, str]:
    """Name, account and kind of who works on a task or worked last; before anybody claimed it, who alone
    may."""
    if attempt.agent:
        return attempt.agent, attempt.account or "", attempt.kind or ""
    if kept and kept.mode == AssignmentMode.ASSIGNED:
        return kept.executor.name, kept.executor.user.get_username(), kept.executor.kind
    return "", "", ""


def critical_keys(name: str, tasks: Iterable[Task], needs: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The steps on the critical path of what is left to do of one workstream, as the dashboard shows it."""
    ordered = sorted(tasks, key=place)
    ended = {task.step.key for task in ordered if task.status not in OPEN_TASK}
    return frozenset(critical_path(plan_of_tasks(name, ordered, needs), ended))


def place(task: Task) -> Place:
    thread = task.step.thread
    return Place(thread.batch.stage.position, thread.batch.position, thread.position, task.step.position)


def _as_committed(workstream: Workstream, snapshot: Snapshot) -> Snapshot:
    """Without "is not committed yet", which stops being true with the commit that this text is part of."""
    if not any(view.artifact for view in snapshot.tasks):
        return snapshot
    keys = {row["key"] for row in _DAMAGED.rows(workstream.pk)}
    views = (view if view.key in keys else replace(view, artifact="") for view in snapshot.tasks)
    return replace(snapshot, tasks=tuple(views))


#: How a verdict shows on the dashboard; every other reason means blocked.
MARKS = {
    Reason.DONE: Mark.DONE,
    Reason.RUNNING: Mark.ACTIVE,
    Reason.REVIEW: Mark.ACTIVE,
    Reason.QUEUED: Mark.RUNNABLE,
    Reason.LAUNCHED: Mark.RUNNABLE,
}


#: Reasons that another step of the workstream has to end first.
_AFTER_STEPS = frozenset({Reason.DEPENDENCY, Reason.GATE, Reason.THREAD, Reason.RESOURCE})
#: Reasons of a step's own that stop it until somebody acts.
STUCK = frozenset({Reason.FAILED, Reason.NEEDS_HUMAN, Reason.BLOCKER})


def open_steps_before(graph: Graph, verdict: Verdict, ended: Collection[str]) -> tuple[str, ...]:
    """The open steps of the workstream that a waiting step waits for: all that it names, else the one that
    holds it."""
    if verdict.reason not in _AFTER_STEPS:
        return ()
    holder = (verdict.holder,) if verdict.holder in graph.order and verdict.holder not in ended else ()
    return open_before(graph, verdict.key, ended) or holder


def _line(task: Task, verdict: Verdict, after: tuple[str, ...]) -> StepLine:
    mark = MARKS.get(verdict.reason, Mark.BLOCKED)
    said = (
        verdict.sentence if mark in {Mark.ACTIVE, Mark.BLOCKED} or task.status != TaskStatus.COMPLETE else ""
    )
    note = "" if mark is Mark.RUNNABLE else said or task.proof_shown
    stuck = verdict.reason in STUCK
    return StepLine(task.step.key, task.step.title, mark, note, verdict.holder, after, stuck)


def plan_of_tasks(name: str, tasks: Sequence[Task], needs: Mapping[str, Sequence[str]]) -> Plan:
    """The structure of the tasks as a plan, for the order rules that work on plans."""
    stages = []
    for stage, in_stage in groupby(_threads_of(tasks, needs), key=lambda row: row[0].batch.stage):
        batches = []
        for batch, in_batch in groupby(in_stage, key=lambda row: row[0].batch):
            threads = [ThreadSpec(thread.lane, thread.name, steps=steps) for thread, steps in in_batch]
            batches.append(BatchSpec(batch.prefix, batch.name, threads=tuple(threads)))
        stages.append(StageSpec(stage.number, stage.name, batches=tuple(batches)))
    return Plan(name, tuple(stages))


def _threads_of(
    tasks: Iterable[Task], needs: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Thread, tuple[StepSpec, ...]]]:
    steps = (task.step for task in tasks)
    for _, in_thread in groupby(steps, key=attrgetter("thread_id")):
        first, *others = in_thread
        yield first.thread, tuple(_spec(step, needs) for step in (first, *others))


def _spec(step: Step, needs: Mapping[str, Sequence[str]]) -> StepSpec:
    return StepSpec(
        step.key,
        step.title,
        parallel=step.parallel,
        needs=tuple(Need(key) for key in needs[step.key]),
        gate=GateSpec(GateKind(step.gate_kind)) if step.is_gate else None,
        estimate=step.estimate,
    )


_LEARNINGS = Joined(
    {"learning": Table(Learning)},
    """orchestrator_learning learning WHERE learning.workstream_id = %s
ORDER BY learning.recorded_at, learning.id""",
)
#: In the order of their numbers, so that the latest one of a task comes last.
_ATTEMPTS = Joined(
    {},
    """orchestrator_attempt attempt
JOIN orchestrator_task task ON task.id = attempt.task_id
LEFT JOIN orchestrator_assignment claim ON claim.attempt_id = attempt.id
LEFT JOIN orchestrator_executor executor ON executor.id = claim.executor_id
LEFT JOIN auth_user account ON account.id = executor.user_id
WHERE task.workstream_id = %s ORDER BY attempt.number""",
    {
        "task": "attempt.task_id",
        "number": "attempt.number",
        "agent": "executor.name",
        "account": "account.username",
        "kind": "executor.kind",
    },
)
_DAMAGED = Joined(
    {},
    f"""orchestrator_handoffartifact artifact
JOIN orchestrator_attempt attempt ON attempt.id = artifact.attempt_id
JOIN orchestrator_task task ON task.id = attempt.task_id
JOIN orchestrator_step step ON step.id = task.step_id
WHERE artifact.workstream_id = %s AND artifact.state = '{ArtifactState.DAMAGED.value}'""",
    {"key": "step.key"},
)
