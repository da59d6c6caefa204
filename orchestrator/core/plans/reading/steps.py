"""Steps among the lines of a plan: bullets that define one, and lines that look like one elsewhere."""

from typing import Final

from orchestrator.core.plans.reading.drafts import StepDraft
from orchestrator.core.plans.reading.position import Position, short
from orchestrator.core.plans.reading.progress import ADOPT_IT
from orchestrator.core.plans.text.lines import Line, LineKind
from orchestrator.core.plans.text.phrases import (
    Keyed,
    lane_of,
    read_box,
    read_keyed,
    read_property,
    split_suffix,
)

GATES_ONLY: Final = frozenset({"reviewers", "trigger", "unlocks", "approvals"})


def read_step(at: Position, line: Line, *, every: bool = False) -> StepDraft | None:
    """The step that a bullet defines. With `every`, bullets without a key are steps too."""
    if line.kind is not LineKind.BULLET:
        return None
    keyed = read_keyed(line.body)
    if keyed is None or not (keyed.strict or every):
        if not every:
            return None
        box = read_box(line.body)
        keyed = Keyed("", box[1] if box else line.body, box[0] if box else "", strict=False)
    title, needs, parallel = split_suffix(keyed.title)
    if keyed.box.strip():
        at.draft.boxes[line.number] = keyed.box.lower()
        message = f"{keyed.key or short(title)} is ticked “{keyed.box}”."
        at.findings.add("work-in-progress", line.number, message, ADOPT_IT)
    at.step = StepDraft(keyed.key, title, line.number, line.indent, needs, parallel or None)
    return at.step


def warn_about_step(at: Position, line: Line, where: str) -> None:
    keyed = read_keyed(line.body) if line.kind is LineKind.BULLET else None
    if keyed and keyed.strict and lane_of(keyed.key):
        message = f"The line looks like step {keyed.key}, but no steps are read in the {short(where)}."
        fix = "Put steps below a Batch heading or under “## Task Dependencies”."
        at.findings.add("step-outside", line.number, message, fix)


def warn_about_gate(at: Position, line: Line, where: str) -> None:
    """What only a gate has, in a place where no gate was read: its heading was not understood."""
    found = read_property(line.body) if line.kind is LineKind.BULLET else None
    if found and found[0] in GATES_ONLY:
        message = f"“{short(line.body)}” belongs to a gate, but stands in the {short(where)}."
        at.findings.add("gate-not-read", line.number, message, "Head the gate with `##### Gate: name`.")
