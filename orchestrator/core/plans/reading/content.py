"""What stands between the headings of a plan: each line goes where its section says."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from orchestrator.core.plans.plan import Question
from orchestrator.core.plans.reading.drafts import BatchDraft, LaneDraft, Notes
from orchestrator.core.plans.reading.position import Position, short
from orchestrator.core.plans.reading.steps import read_step, warn_about_gate, warn_about_step
from orchestrator.core.plans.text.lines import Line, LineKind
from orchestrator.core.plans.text.phrases import (
    looks_like_key,
    read_box,
    read_keyed,
    read_label,
    read_lane,
    read_property,
)

#: A bullet that says something about the batch, or an address: `Note: …`, `**Why:** …`, `https://…`.
_REMARK: Final = re.compile(r"(?:\*\*)?[A-Za-z][A-Za-z _-]{0,24}(?:\*\*)?:")
#: Sections in which a bullet is a step, with a key or without.
_EVERY_BULLET: Final = frozenset({"tasks", "steps"})
_LAST_UPDATED: Final = re.compile(r"[*_]?Last updated:?.*", re.IGNORECASE | re.DOTALL)


def take_content(at: Position, line: Line) -> None:
    """A line that is no heading: it belongs to the step above it, or to the open section."""
    if _belongs_to_step(at, line):
        return
    if line.kind is not LineKind.BLANK:
        at.step = None
    CONTENT[at.section](at, line)


def _belongs_to_step(at: Position, line: Line) -> bool:
    """Nested lines, and blank lines between them, belong to the step above them."""
    if at.step is None or (line.kind is not LineKind.BLANK and line.indent <= at.step.indent):
        return False
    at.step.notes.take(line)
    return True


def _summary_line(at: Position, line: Line) -> None:
    at.draft.summary.append(line.raw)


def _question(at: Position, line: Line) -> None:
    if line.kind is not LineKind.BULLET or line.indent > 1:
        return
    box = read_box(line.body)
    if box is None:
        message = f"The line under Questions has no check box: {short(line.body)}"
        at.findings.add(
            "question-without-box", line.number, message, "Write `- [ ] question` or `- [x] answer`."
        )
    elif box[1]:
        at.draft.questions.append(Question(box[1], line.number, answered=bool(box[0])))


def lane_line(at: Position, line: Line) -> None:
    declared = read_lane(line.body)
    if declared:
        lane, name = declared
        at.lane = LaneDraft(lane, name or f"WS-{lane}", line.number)
        if lane in at.draft.lanes:
            message = f"Thread WS-{lane} is declared on line {at.draft.lanes[lane].line} already."
            at.findings.add("duplicate-number", line.number, message, "Give every thread its own letter.")
        at.draft.lanes.setdefault(lane, at.lane)
    elif at.lane:
        at.lane.notes.take(line)


def _loose_line(at: Position, line: Line) -> None:
    every = at.section_name.rstrip(":").lower() in _EVERY_BULLET and line.indent < 2
    step = read_step(at, line, every=every and not read_property(line.body))
    if step:
        at.draft.loose.append(step)


def _definition_line(at: Position, line: Line) -> None:
    warn_about_step(at, line, "text of a stage")
    warn_about_gate(at, line, "text of a stage")
    _add_to_definition(at, line)


def _add_to_definition(at: Position, line: Line) -> None:
    assert at.stage is not None
    found = read_property(line.body)
    if found and found[0] == "kind" and line.kind is not LineKind.CODE:
        notes = Notes()
        notes.take_property(line)
        at.stage.kind = notes.values["kind"][0]
    else:
        at.stage.definition.append(line.raw)


def _stage_step_line(at: Position, line: Line) -> None:
    step = read_step(at, line)
    if step:
        at.batch_at(line).steps.append(step)
        at.section = "batch"
    else:
        _add_to_definition(at, line)


def _batch_line(at: Position, line: Line) -> None:
    assert at.batch is not None
    step = read_step(at, line, every=_is_step_without_key(at.batch, line))
    if step:
        at.batch.steps.append(step)
        return
    warn_about_gate(at, line, "text of a batch")
    remark = read_property(line.body) or _REMARK.match(line.body)
    if line.kind is LineKind.BULLET and line.indent < 2 and not remark:
        at.batch.bullets.append((line, len(at.batch.summary)))
    at.batch.summary.append(line.raw)


def _is_step_without_key(batch: BatchDraft, line: Line) -> bool:
    """A box in a batch is a step, and so is a bullet beside steps."""
    if line.kind is not LineKind.BULLET or line.indent >= 2 or read_property(line.body):
        return False
    return read_box(line.body) is not None or (bool(batch.steps) and _is_plain_bullet(line))


def _is_plain_bullet(line: Line) -> bool:
    """Whether a line is a bullet that says nothing about what it stands in; beside steps it is one."""
    remark = read_property(line.body) or _REMARK.match(line.body)
    return line.kind is LineKind.BULLET and line.indent < 2 and not remark


def take_bullets(at: Position, batch: BatchDraft) -> None:
    """The steps of a batch that has nothing but plain bullets: each of them is one."""
    if batch.gate or batch.steps or batch.threads or not batch.bullets:
        return
    taken = {place for _, place in batch.bullets}
    batch.steps = [step for line, _ in batch.bullets if (step := read_step(at, line, every=True))]
    batch.summary = [text for place, text in enumerate(batch.summary) if place not in taken]


def _preamble_line(at: Position, line: Line) -> None:
    assert at.thread is not None
    if _label(at, line):
        return
    step = read_step(at, line, every=bool(at.thread.steps) and _is_plain_bullet(line))
    if step:
        at.thread.steps.append(step)
    elif line.kind is LineKind.BLANK or not at.thread.notes.take_keyed(line):
        _warn_of_key(at, line)
        _details_text(at, line.raw)


def _label(at: Position, line: Line) -> bool:
    """`**Summary:**`, `**Details:**` and `**Tasks:**` open a part of a thread."""
    label = read_label(line.body) if line.kind is LineKind.TEXT else None
    if label is None or at.thread is None:
        return False
    at.section = {"summary": "details", "details": "details", "tasks": "tasks"}[label[0]]
    at.section_name = label[0]
    if label[1]:
        _details_text(at, label[1])
    return True


def details_line(at: Position, line: Line) -> None:
    if _label(at, line):
        return
    _warn_of_key(at, line)
    _details_text(at, line.raw)


def _warn_of_key(at: Position, line: Line) -> None:
    keyed = read_keyed(line.body) if line.kind is LineKind.BULLET and line.indent < 2 else None
    if keyed and (keyed.strict or looks_like_key(keyed.key)):
        message = f"The line looks like step {keyed.key} but stands in the details, so it is read as text."
        at.findings.add(
            "step-in-details", line.number, message, "Put the steps of a thread under **Tasks:**."
        )


def _details_text(at: Position, text: str) -> None:
    assert at.thread is not None
    if _LAST_UPDATED.fullmatch(text.strip()):
        return
    into = at.thread.summary if at.section_name == "summary" else at.thread.details
    into.append(text)


def _tasks_line(at: Position, line: Line) -> None:
    assert at.thread is not None
    if _label(at, line):
        return
    step = read_step(at, line, every=True)
    if step:
        at.thread.steps.append(step)
    elif line.kind is not LineKind.BLANK:
        at.thread.details.append(line.raw)


def _gate_line(at: Position, line: Line) -> None:
    assert at.batch is not None
    assert at.batch.gate is not None
    warn_about_step(at, line, f"gate “{at.batch.gate.title or at.batch.gate.key}”")
    at.batch.gate.notes.take(line)


def _other_line(at: Position, line: Line) -> None:
    where = f"section “{at.section_name}”"
    warn_about_step(at, line, where)
    warn_about_gate(at, line, where)


#: By the name of the open section.
CONTENT: Final[Mapping[str, Callable[[Position, Line], None]]] = {
    "summary": _summary_line,
    "questions": _question,
    "lanes": lane_line,
    "loose": _loose_line,
    "definition": _definition_line,
    "batches": _stage_step_line,
    "batch": _batch_line,
    "preamble": _preamble_line,
    "details": details_line,
    "tasks": _tasks_line,
    "gate": _gate_line,
    "other": _other_line,
}
