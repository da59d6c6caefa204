"""A plan in every form that is written: PLAN.md, JSON plan file, tasks.json and EXECUTION-DASHBOARD.md (AD-5,
BX-6, WF-7).

The last two show a plan that has not begun; `queries/work/projection.py` writes them for work that has.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

from orchestrator.core.engine.schedule import decide
from orchestrator.core.engine.values import Snapshot
from orchestrator.core.files.board import BatchBlock, DashboardView, GateBlock, LaneRow, lane_label
from orchestrator.core.files.dashboard import (
    TaskEntry,
    render_dashboard,
    render_tasks,
)
from orchestrator.core.files.marks import Mark, StepLine
from orchestrator.core.plans.formats.plan_file_text import render_plan_file
from orchestrator.core.plans.graph import compile_graph, critical_path, open_before
from orchestrator.core.plans.plan import BatchSpec, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.plans.rehearsing.script import view_of
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.terms import GateKind, TaskStatus


class Written(StrEnum):
    """What `--to` takes."""

    PLAN = "plan"
    PLAN_FILE = "plan-file"
    TASKS = "tasks"
    DASHBOARD = "dashboard"


def render_as(plan: Plan, form: Written) -> str:
    """The text of a plan in a form; equal plans give equal text."""
    return WRITERS[form](plan)


def _tasks(plan: Plan) -> str:
    entries = [
        TaskEntry(
            id=placed.step.key,
            name=placed.step.title,
            stage_name=placed.stage.name,
            batch_name=placed.batch.name,
            thread_name=placed.thread.name,
            status=TaskStatus.PENDING,
            created_at="",
            updated_at="",
        )
        for placed in plan.placed_steps()
    ]
    return render_tasks(plan.slug, "", entries)


def _dashboard(plan: Plan) -> str:
    return render_dashboard(_TasksBoard(plan).view())


class _TasksBoard:
    """A plan as the dashboard shows it before anything has begun, by asking the scheduler once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.after: dict[str, list[str]] = defaultdict(list)
        for step in plan.steps():
            for need in step.needs:
                self.after[need.key].append(step.key)
        verdicts = decide(Snapshot(tuple(view_of(placed) for placed in plan.placed_steps()))).verdicts
        graph = compile_graph(self.plan)
        titles = {step.key: step.title for step in plan.steps()}
        self.lines: dict[str, StepLine] = {}
        for verdict in verdicts:
            mark = Mark.RUNNABLE if verdict.launches else Mark.BLOCKED
            note = "" if verdict.launches else verdict.sentence
            after = () if verdict.launches else open_before(graph, verdict.key, ())
            self.lines[verdict.key] = StepLine(
                verdict.key, titles[verdict.key], mark, note, verdict.holder, after
            )

    def view(self) -> DashboardView:
        path = tuple(self.line(key) for key in critical_path(self.plan))
        return DashboardView(self.plan.name, "not begun", tuple(self._lanes()), tuple(self._batches()), path)

    def line(self, key: str) -> StepLine:
        return self.lines.get(key) or StepLine(key, key, Mark.BLOCKED)

    def _lanes(self) -> Iterator[LaneRow]:
        lanes: dict[str, list[tuple[ThreadSpec, StepSpec]]] = defaultdict(list)
        for placed in self.plan.placed_steps():
            if placed.step.gate is None:
                label = lane_label(str(placed.stage.number), placed.batch.prefix, placed.thread.lane)
                lanes[label].append((placed.thread, placed.step))
        for label, found in lanes.items():
            thread = found[0][0]
            yield LaneRow(
                label, thread.name, "", thread.worktree, tuple(self.line(step.key) for _, step in found)
            )

    def _batches(self) -> Iterator[BatchBlock]:
        return (self._batch(stage, batch) for stage in self.plan.stages for batch in stage.batches)

    def _batch(self, stage: StageSpec, batch: BatchSpec) -> BatchBlock:
        steps = [step for thread in batch.threads for step in thread.steps]
        return BatchBlock(
            title=f"Batch {batch.prefix}: {batch.name}",
            steps=tuple(self.line(step.key) for step in steps if step.gate is None),
            gates=tuple(self._gate(step) for step in steps if step.gate is not None),
            stage=f"Stage {stage.number}: {stage.name}",
        )

    def _gate(self, step: StepSpec) -> GateBlock:
        kind = step.gate.kind if step.gate else GateKind.REVIEW
        title = "Merge Point" if kind is GateKind.MERGE else f"{kind.capitalize()} gate"
        action = (step.gate.action if step.gate else "") or step.title
        return GateBlock(f"{title} {step.key}", self.line(step.key), action, tuple(self.after[step.key]))


WRITERS: Final[dict[Written, Callable[[Plan], str]]] = {
    Written.PLAN: render_plan,
    Written.PLAN_FILE: render_plan_file,
    Written.TASKS: _tasks,
    Written.DASHBOARD: _dashboard,
}
