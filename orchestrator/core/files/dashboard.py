"""The state files of a workstream as text: equal state gives equal bytes (WF-7, BX-6).

Every time in them comes from stored rows; nothing here knows what time it is.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

from orchestrator.core.files.board import DashboardView, GateBlock, LaneRow
from orchestrator.core.files.marks import Mark, StepLine
from orchestrator.core.invisible import reveal

FORMAT_VERSION: Final = "1.0.0"


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
        *_batch_lines(view),
        "```",
        "",
        "## Critical Path",
        "",
        "```",
        view.way or "No open step.",
        "```",
        "",
        _bottleneck(view),
    ]
    return "\n".join(lines) + "\n"


def _tasks_line(view: DashboardView) -> str:
    done, total = view.counted
    return f"**Tasks:** {done} of {total} complete, gates included"


def _lane_row(lane: LaneRow) -> str:
    status = f"{lane.mark} {lane.mark.word}" + (f" ({_one_line(lane.waiting)})" if lane.waiting else "")
    branch = " in ".join(f"`{_cell(one)}`" for one in (lane.branch, lane.worktree) if one)
    return (
        f"| {_cell(lane.lane)} | {_cell(lane.name)} | {branch} | {_cell(status)} "
        f"| {lane.done}/{len(lane.steps)} |"
    )


def _batch_lines(view: DashboardView) -> Iterable[str]:
    stage = ""
    several = len({batch.stage for batch in view.batches}) > 1
    for batch in view.batches:
        if several and batch.stage != stage:
            stage = batch.stage
            yield from ("", f"== {_one_line(stage)} ==")
        yield ""
        if batch.steps:
            yield _said(batch.title, batch.mark, view.waiting_of(batch))
            yield from (_step_line(step) for step in batch.steps)
        for gate in batch.gates:
            yield from ([""] if batch.steps else [])
            yield from _gate_lines(gate)


def _said(title: str, mark: Mark, note: str) -> str:
    return f"{_one_line(title)}: {mark} {mark.word.upper()}" + (f" ({_one_line(note)})" if note else "")


def _step_line(step: StepLine) -> str:
    note = f" ({_one_line(step.note)})" if step.note else ""
    return f"  {_one_line(step.key)} {step.mark}  {_one_line(step.title)}{note}"


def _gate_lines(gate: GateBlock) -> Iterable[str]:
    mark = gate.step.mark
    yield _said(gate.title, mark, gate.waiting)
    if gate.action:
        yield f"  {mark} {_one_line(gate.action)}"
    if gate.unlocks:
        yield f"  → {gate.unlocking}: {', '.join(gate.unlocks)}"


def _bottleneck(view: DashboardView) -> str:
    step = view.bottleneck
    if step is None:
        return "Current bottleneck: none"
    note = f": {_one_line(step.note)}" if step.note else ""
    return f"Current bottleneck: **{step.key}** ({_one_line(step.title)}{note})"


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
    proof: str = ""


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
