"""The state files of a workstream as text: equal state gives equal bytes (WF-7, BX-6).

Every time in them comes from stored rows; nothing here knows what time it is.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

from orchestrator.core.files.marks import Mark, StepLine, overall, waiting_on
from orchestrator.core.invisible import reveal
from orchestrator.core.plans.graph import bottleneck

FORMAT_VERSION: Final = "1.0.0"


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane over all its batches, or one thread of one batch; `branch` is its worktree or branch."""

    lane: str
    name: str
    branch: str
    steps: tuple[StepLine, ...]


def lane_label(stage: str, batch: str, lane: str) -> str:
    """The row of the dashboard that a thread belongs to.

    A lettered lane goes on through batches. Numbers start anew in every batch, so a numbered thread is its
    own row.
    """
    return "/".join((stage, batch, lane)) if lane.isdigit() else lane


@dataclass(frozen=True, slots=True)
class GateBlock:
    """A merge point or another gate: what happens there and what it lets through."""

    title: str
    step: StepLine
    action: str
    unlocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchBlock:
    """A batch in plan order; gates inside it are listed after its steps. `stage` is its stage's heading."""

    title: str
    steps: tuple[StepLine, ...]
    gates: tuple[GateBlock, ...] = ()
    stage: str = ""

    @property
    def label(self) -> str:
        """A batch of gates alone goes by its first gate."""
        return self.title if self.steps or not self.gates else self.gates[0].title


@dataclass(frozen=True, slots=True)
class DashboardView:
    """`updated` is the time of the last change; `path` is the critical path of what is open, in order."""

    title: str
    updated: str
    lanes: tuple[LaneRow, ...]
    batches: tuple[BatchBlock, ...]
    path: tuple[StepLine, ...] = ()


def render_dashboard(view: DashboardView) -> str:
    """EXECUTION-DASHBOARD.md in the format of seed 002 (BX-6)."""
    lines = [
        "# Execution Dashboard",
        "",
        f"{_one_line(view.title)}",
        "",
        f"**Updated:** {view.updated}",
        _tasks_line(view),
        "",
        "## Workstream Status",
        "",
        "| WS | Name | Branch | Status | Tasks Complete |",
        "|----|------|--------|--------|----------------|",
        *(_lane_row(lane) for lane in view.lanes),
        "",
        "## Batch Progress",
        "",
        "```",
        "Legend: " + "  ".join(f"{mark} {mark.word}" for mark in Mark),
        *_batch_lines(view.batches),
        "```",
        "",
        "## Critical Path",
        "",
        "```",
        _path_line(view) or "No open step.",
        "```",
        "",
        _bottleneck(view),
    ]
    return "\n".join(lines) + "\n"


def _tasks_line(view: DashboardView) -> str:
    """Every task of the workstream; a gate stands in no lane, so the rows of the lanes add up to less."""
    marks = [step.mark for step in _all_lines(view)]
    return f"**Tasks:** {marks.count(Mark.DONE)} of {len(marks)} complete, gates included"


def _lane_row(lane: LaneRow) -> str:
    mark = overall(lane.steps)
    waiting = next(
        filter(
            None,
            (step.key if step.stuck else step.holder for step in lane.steps if step.mark is Mark.BLOCKED),
        ),
        "",
    )
    status = f"{mark} {mark.word}" + (f" ({_one_line(waiting)})" if mark is Mark.BLOCKED and waiting else "")
    done = sum(step.mark is Mark.DONE for step in lane.steps)
    branch = f"`{_cell(lane.branch)}`" if lane.branch else ""
    return (
        f"| {_cell(lane.lane)} | {_cell(lane.name)} | {branch} | {_cell(status)} | {done}/{len(lane.steps)} |"
    )


def _batch_lines(batches: Sequence[BatchBlock]) -> Iterable[str]:
    first_open = stage = ""
    several = len({batch.stage for batch in batches}) > 1
    for batch in batches:
        if several and batch.stage != stage:
            stage = batch.stage
            yield from ("", f"== {_one_line(stage)} ==")
        yield ""
        if batch.steps:
            yield _heading(batch.title, overall(batch.steps), first_open)
            yield from (_step_line(step) for step in batch.steps)
        for gate in batch.gates:
            yield from ([""] if batch.steps else [])
            yield from _gate_lines(gate)
        lines = [*batch.steps, *(gate.step for gate in batch.gates)]
        if not first_open and overall(lines) is not Mark.DONE:
            first_open = batch.label


def _heading(title: str, mark: Mark, first_open: str) -> str:
    reason = f" (waiting on {_one_line(first_open)})" if mark is Mark.BLOCKED and first_open else ""
    return f"{_one_line(title)}: {mark} {mark.word.upper()}{reason}"


def _step_line(step: StepLine) -> str:
    note = f" ({_one_line(step.note)})" if step.note else ""
    return f"  {_one_line(step.key)} {step.mark}  {_one_line(step.title)}{note}"


def _gate_lines(gate: GateBlock) -> Iterable[str]:
    mark = gate.step.mark
    said = waiting_on(gate.step.after) if mark is Mark.BLOCKED else ""
    said = said or gate.step.note
    note = f" ({_one_line(said)})" if said else ""
    yield f"{_one_line(gate.title)}: {mark} {mark.word.upper()}{note}"
    if gate.action:
        yield f"  {mark} {_one_line(gate.action)}"
    if gate.unlocks:
        yield f"  → {'Unlocked' if mark is Mark.DONE else 'Will unlock'}: {', '.join(gate.unlocks)}"


def _path_line(view: DashboardView) -> str:
    gates = {gate.step.key for batch in view.batches for gate in batch.gates}
    return " → ".join(f"[{step.key}]" if step.key in gates else step.key for step in view.path)


def _bottleneck(view: DashboardView) -> str:
    lines = {step.key: step for step in (*view.path, *_all_lines(view))}
    open_path = [step.key for step in view.path if step.mark is not Mark.DONE]
    step = lines.get(bottleneck(open_path, {key: line.after for key, line in lines.items()}))
    if step is None:
        return "Current bottleneck: none"
    note = f": {_one_line(step.note)}" if step.note else ""
    return f"Current bottleneck: **{step.key}** ({_one_line(step.title)}{note})"


def _all_lines(view: DashboardView) -> Iterable[StepLine]:
    for batch in view.batches:
        yield from batch.steps
        yield from (gate.step for gate in batch.gates)


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A task as `tasks.json` lists it, in the words of seed 000."""

    id: str
    name: str
    stage_name: str
    batch_name: str
    thread_name: str
    status: str
    created_at: str
    updated_at: str
    breadcrumb: str = ""
    assigned_agent: str = ""
    agent_account: str = ""
    agent_kind: str = ""
    attempt: int = 0
    needs_human: bool = False
    intervention_note: str = ""


def render_tasks(stream_id: str, updated: str, tasks: Sequence[TaskEntry]) -> str:
    """tasks.json (WF-3, WF-8)."""
    frame = _json({"version": FORMAT_VERSION, "stream_id": stream_id, "last_updated": updated, "tasks": []})
    if not tasks:
        return frame
    entries = ",\n".join(map(_task, tasks))
    return f"{frame.removesuffix(_EMPTY)}[\n{entries}\n  ]\n}}\n"


#: How a file without a task ends.
_EMPTY: Final = "[]\n}\n"
_encoded: Final = json.JSONEncoder(ensure_ascii=False).encode


#: In the order of the file.
_TASK_MEMBERS: Final = tuple(field.name for field in fields(TaskEntry))


def _task(task: TaskEntry) -> str:
    """As `_json` would write it, several times as fast: there may be ten thousand of them."""
    members = ",\n".join(f'      "{name}": {_encoded(getattr(task, name))}' for name in _TASK_MEMBERS)
    return f"    {{\n{members}\n    }}"


@dataclass(frozen=True, slots=True)
class PlanApproval:
    """What was decided about the plan; `plan_hash` is the SHA-256 of the text it was bound to."""

    status: str
    plan_hash: str
    approved_by: str = ""
    approved_at: str = ""


@dataclass(frozen=True, slots=True)
class StreamAssignment:
    """A claim that runs.

    The executor, the account that answers for it, and whether it is a person, agent or tool.
    """

    task: str
    agent: str
    account: str
    kind: str
    claimed_at: str


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """An executor that alone claims in a thread (`assigned`), or is offered its work first (`preferred`)."""

    stage: int
    batch: str
    thread: str
    agent: str
    account: str
    kind: str
    mode: str
    assigned_at: str


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """A workstream in the registry: `order` counts registrations from 0, `path` is its folder.

    `assignments` are the claims that run, `thread_assignments` the threads that are kept for an executor.
    `needs` are the ids of what it waits for, `merged_into` the one it goes on in, `bundle` what it came with.
    """

    id: str
    uuid: str
    name: str
    order: int
    path: str
    status: str
    domain: str
    owner: str
    priority: int
    created_at: str
    updated_at: str
    approval: PlanApproval
    assignments: tuple[StreamAssignment, ...] = ()
    thread_assignments: tuple[ThreadEntry, ...] = ()
    needs: tuple[str, ...] = ()
    merged_into: str = ""
    bundle: str = ""


def render_index(streams: Sequence[StreamEntry]) -> str:
    """workstreams/index.json: every workstream, its approval and who works on it (WF-7)."""
    updated = max((stream.updated_at for stream in streams), default="")
    return _json(
        {
            "version": FORMAT_VERSION,
            "last_updated": updated,
            "streams": [asdict(stream) for stream in streams],
        }
    )


@dataclass(frozen=True, slots=True)
class LearningEntry:
    after: str
    recorded_at: str
    author: str
    went_wrong: str = ""
    worked: str = ""
    tighten: str = ""


def render_learnings(title: str, learnings: Sequence[LearningEntry]) -> str:
    """LEARNINGS.md: what the next executor should know, oldest first (BX-7)."""
    lines = [f"# Learnings: {_one_line(title)}", ""]
    if not learnings:
        lines += ["Nothing has been recorded yet.", ""]
    for entry in learnings:
        lines += [f"## After {_one_line(entry.after)}", "", f"{entry.author}, {entry.recorded_at}", ""]
        for heading, text in (
            ("What went wrong", entry.went_wrong),
            ("What worked", entry.worked),
            ("What needs tightening", entry.tighten),
        ):
            lines += [f"### {heading}", "", text.strip(), ""] if text.strip() else []
        if not (entry.went_wrong or entry.worked or entry.tighten):
            lines += ["Nothing to record.", ""]
    return "\n".join(lines)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _one_line(text: str) -> str:
    """Plan text inside a line of ours: no line break, nothing that closes the code block, and a mark for
    what nobody sees (B8)."""
    return " ".join(reveal(text).replace("```", "'''").split())


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")
