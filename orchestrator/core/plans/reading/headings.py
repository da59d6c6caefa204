"""What the headings of a plan open and close.

Headings are recognised by their words, whatever their level. A heading that opens nothing closes what stands
on its level or below and is text for what stays open.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from orchestrator.core.plans.reading.content import details_line, lane_line
from orchestrator.core.plans.reading.drafts import BatchDraft, GateDraft, StageDraft, ThreadDraft
from orchestrator.core.plans.reading.position import Position, next_batch, short
from orchestrator.core.plans.text.lines import Line
from orchestrator.core.plans.text.phrases import Opening, read_lane, read_opening, unmark

_STAGE_SECTION: Final = re.compile(r"(?i)(?:stage[ \t]+)?(definition|constitution|questions|batches|tasks)")
_PLAN_SECTIONS: Final = {
    **dict.fromkeys(("summary", "overview"), "summary"),
    "questions": "questions",
    "open questions": "questions",
    "workstream decomposition": "lanes",
    "workstreams": "lanes",
    "lanes": "lanes",
    "task dependencies": "loose",
    "tasks": "loose",
    "steps": "loose",
}


def take_heading(at: Position, line: Line) -> None:
    """A heading ends the step above it, and opens a part or a section, or closes some."""
    at.step = None
    at.draft.headings += 1
    opening = read_opening(line.body)
    if opening and not (opening.kind and line.level == 1):
        _OPENS.get(opening.what, _open_gate)(at, opening, line)
    elif at.section == "lanes" and line.level > at.levels["section"] and read_lane(line.body):
        lane_line(at, line)
    elif line.level == 1:
        _title(at, line)
    else:
        _plain_heading(at, line)


def _title(at: Position, line: Line) -> None:
    name = line.body.removeprefix("Plan:").removeprefix("PLAN:").strip()
    if not at.draft.name:
        at.draft.name = name
    at.close(1)
    at.section, at.section_name = "loose" if not at.draft.stages else "other", name


def _plain_heading(at: Position, line: Line) -> None:
    at.close(line.level)
    words = unmark(line.body).rstrip(":").lower()
    if at.thread:
        details_line(at, line)
        at.section = "details"
    elif at.batch:
        (at.batch.gate.notes.text if at.batch.gate else at.batch.summary).append(line.raw)
    elif at.stage and not at.stage.inferred:
        _stage_section(at, line, words)
    else:
        at.section, at.section_name = _PLAN_SECTIONS.get(words, "other"), line.body
        at.levels["section"] = line.level


def _stage_section(at: Position, line: Line, words: str) -> None:
    assert at.stage is not None
    match = _STAGE_SECTION.fullmatch(words)
    section = match[1].lower() if match else "text"
    if section in ("constitution", "text"):
        at.stage.definition += ["", line.raw]
    sections = {"questions": "questions", "batches": "batches", "tasks": "batches"}
    at.section = sections.get(section, "definition")


def _open_stage(at: Position, opening: Opening, line: Line) -> None:
    number = _number(at, opening, line, at.next_stage())
    at.stage = StageDraft(number, opening.name or f"Stage {number}", line.number)
    at.draft.stages.append(at.stage)
    at.batch = at.thread = None
    at.levels["stage"] = line.level
    at.section = "batches"


def _open_batch(at: Position, opening: Opening, line: Line) -> None:
    stage = at.stage_at(line)
    number = _number(at, opening, line, next_batch(stage))
    batch = BatchDraft(number, opening.name or f"Batch {number}", line.number, opening.note)
    batch.sequential = opening.note.lower().startswith(("sequential", "serial"))
    stage.batches.append(batch)
    at.batch, at.thread, at.section = batch, None, "batch"
    at.levels["batch"] = line.level


def _open_thread(at: Position, opening: Opening, line: Line) -> None:
    batch = at.batch_at(line)
    lane = opening.lane or f"{_number(at, opening, line, len(batch.threads) + 1):02}"
    at.thread = ThreadDraft(lane, opening.name or f"Thread {lane}", line.number)
    batch.threads.append(at.thread)
    at.section, at.section_name = "preamble", ""
    at.levels["thread"] = line.level


def _open_gate(at: Position, opening: Opening, line: Line) -> None:
    merge = opening.what == "merge"
    gate = GateDraft(opening.note, opening.name, line.number, merge, opening.kind)
    at.thread, at.batch = None, BatchDraft(-1, "", line.number, gate=gate)
    if at.draft.loose and at.stage is None:
        at.draft.loose.append(gate)
    else:
        at.stage_at(line).batches.append(at.batch)
    at.section = "gate"
    at.levels["batch"] = line.level


def _number(at: Position, opening: Opening, line: Line, following: int) -> int:
    """The number that a heading gives, or the one that follows from its place."""
    if opening.number < 0:
        read_as = f"{opening.what.capitalize()} {following:02}: {opening.name}"
        message = f"“{short(opening.name)}” has no number and is read as {short(read_as)}."
        at.findings.add(f"inferred-{opening.what}", line.number, message, f"Write `{short(read_as)}`.")
    return opening.number if opening.number >= 0 else following


#: What a heading opens, by its word; every other one opens a gate.
_OPENS: Final[Mapping[str, Callable[[Position, Opening, Line], None]]] = {
    "stage": _open_stage,
    "batch": _open_batch,
    "thread": _open_thread,
}
