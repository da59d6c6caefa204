"""Walk over the lines of a plan and sort them into drafts: what a heading opens, where a line belongs.

Headings are recognised by their words, whatever their level. A heading that opens nothing closes what stands
on its level or below and is text for what stays open.
"""

import re
from collections.abc import Callable
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Question
from orchestrator.core.plans.reading.drafts import (
    BatchDraft,
    GateDraft,
    LaneDraft,
    Notes,
    PlanDraft,
    StageDraft,
    StepDraft,
    ThreadDraft,
)
from orchestrator.core.plans.reading.progress import ADOPT_IT
from orchestrator.core.plans.text.lines import Line, LineKind
from orchestrator.core.plans.text.phrases import (
    Keyed,
    Opening,
    lane_of,
    read_box,
    read_keyed,
    read_label,
    read_lane,
    read_opening,
    read_property,
    split_suffix,
    unmark,
)

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
GATES_ONLY: Final = frozenset({"reviewers", "trigger", "unlocks", "approvals"})
_LAST_UPDATED: Final = re.compile(r"[*_]?Last updated:?.*", re.IGNORECASE | re.DOTALL)


class PlanWalker:
    """Takes every line once, in order; `draft` is the result."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.draft = PlanDraft()
        self.stage: StageDraft | None = None
        self.batch: BatchDraft | None = None
        self.thread: ThreadDraft | None = None
        self.step: StepDraft | None = None
        self.lane: LaneDraft | None = None
        self.levels = {"section": 0, "stage": 0, "batch": 0, "thread": 0}
        self.section = "loose"
        self.section_name = ""
        self._content: dict[str, Callable[[Line], None]] = {
            "summary": lambda line: self.draft.summary.append(line.raw),
            "questions": self._question,
            "lanes": self._lane_line,
            "loose": self._loose_line,
            "definition": self._definition_line,
            "batches": self._stage_step_line,
            "batch": self._batch_line,
            "preamble": self._preamble_line,
            "details": self._details_line,
            "tasks": self._tasks_line,
            "gate": self._gate_line,
            "other": self._other_line,
        }

    def take(self, line: Line) -> None:
        if line.kind is LineKind.HEADING:
            self.step = None
            self._heading(line)
        elif not self._belongs_to_step(line):
            self.step = None if line.kind is not LineKind.BLANK else self.step
            self._content[self.section](line)

    # -- headings

    def _heading(self, line: Line) -> None:
        self.draft.headings += 1
        opening = read_opening(line.body)
        if opening and not (opening.kind and line.level == 1):
            open_it = {"stage": self._open_stage, "batch": self._open_batch, "thread": self._open_thread}
            open_it.get(opening.what, self._open_gate)(opening, line)
        elif self.section == "lanes" and line.level > self.levels["section"] and read_lane(line.body):
            self._lane_line(line)
        elif line.level == 1:
            self._title(line)
        else:
            self._plain_heading(line)

    def _title(self, line: Line) -> None:
        name = line.body.removeprefix("Plan:").removeprefix("PLAN:").strip()
        if not self.draft.name:
            self.draft.name = name
        self._close(1)
        self.section, self.section_name = "loose" if not self.draft.stages else "other", name

    def _plain_heading(self, line: Line) -> None:
        self._close(line.level)
        words = unmark(line.body).rstrip(":").lower()
        if self.thread:
            self._details_line(line)
            self.section = "details"
        elif self.batch:
            (self.batch.gate.notes.text if self.batch.gate else self.batch.summary).append(line.raw)
        elif self.stage and not self.stage.inferred:
            self._stage_section(line, words)
        else:
            self.section, self.section_name = _PLAN_SECTIONS.get(words, "other"), line.body
            self.levels["section"] = line.level

    def _stage_section(self, line: Line, words: str) -> None:
        assert self.stage is not None
        found = _STAGE_SECTION.fullmatch(words)
        section = found[1].lower() if found else "text"
        if section in ("constitution", "text"):
            self.stage.definition += ["", line.raw]
        sections = {"questions": "questions", "batches": "batches", "tasks": "batches"}
        self.section = sections.get(section, "definition")

    def _close(self, level: int) -> None:
        """Close what was opened on this level or a deeper one."""
        if self.thread and self.levels["thread"] >= level:
            self.thread = None
            self.section = "batch"
        if self.batch and self.levels["batch"] >= level:
            self.batch = self.thread = None
            self.section = "other"
        if self.stage and self.levels["stage"] >= level:
            self.stage = self.batch = self.thread = None
            self.section = "other"

    def _open_stage(self, opening: Opening, line: Line) -> None:
        number = self._number(opening, line, self._next_stage())
        self.stage = StageDraft(number, opening.name or f"Stage {number}", line.number)
        self.draft.stages.append(self.stage)
        self.batch = self.thread = None
        self.levels["stage"] = line.level
        self.section = "batches"

    def _open_batch(self, opening: Opening, line: Line) -> None:
        stage = self._stage_at(line)
        number = self._number(opening, line, _next_batch(stage))
        batch = BatchDraft(number, opening.name or f"Batch {number}", line.number, opening.note)
        batch.sequential = opening.note.lower().startswith(("sequential", "serial"))
        stage.batches.append(batch)
        self.batch, self.thread, self.section = batch, None, "batch"
        self.levels["batch"] = line.level

    def _open_thread(self, opening: Opening, line: Line) -> None:
        batch = self._batch_at(line)
        lane = opening.lane or f"{self._number(opening, line, len(batch.threads) + 1):02}"
        self.thread = ThreadDraft(lane, opening.name or f"Thread {lane}", line.number)
        batch.threads.append(self.thread)
        self.section, self.section_name = "preamble", ""
        self.levels["thread"] = line.level

    def _next_stage(self) -> int:
        return self.draft.stages[-1].number + 1 if self.draft.stages else 1

    def _number(self, opening: Opening, line: Line, following: int) -> int:
        """The number that a heading gives, or the one that follows from its place."""
        if opening.number < 0:
            read_as = f"{opening.what.capitalize()} {following:02}: {opening.name}"
            message = f"“{_short(opening.name)}” has no number and is read as {_short(read_as)}."
            self.findings.add(f"inferred-{opening.what}", line.number, message, f"Write `{_short(read_as)}`.")
        return opening.number if opening.number >= 0 else following

    def _open_gate(self, opening: Opening, line: Line) -> None:
        merge = opening.what == "merge"
        gate = GateDraft(opening.note, opening.name, line.number, merge, opening.kind)
        self.thread, self.batch = None, BatchDraft(-1, "", line.number, gate=gate)
        if self.draft.loose and self.stage is None:
            self.draft.loose.append(gate)
        else:
            self._stage_at(line).batches.append(self.batch)
        self.section = "gate"
        self.levels["batch"] = line.level

    def _stage_at(self, line: Line) -> StageDraft:
        """The open stage, or one that is inferred because the plan shows none here."""
        if self.stage is None and self.draft.stages and self.draft.stages[-1].inferred:
            self.stage = self.draft.stages[-1]
        elif self.stage is None:
            number = self._next_stage()
            self.stage = StageDraft(number, "Work", line.number, inferred=True)
            self.draft.stages.append(self.stage)
            self.levels["stage"] = min(self.levels["section"] or 2, line.level or 2)
            message = f"What follows stands outside a stage and is read as Stage {number}: Work."
            self.findings.add(
                "inferred-stage", line.number, message, f"Write `### Stage {number}: name` above it."
            )
        return self.stage

    def _batch_at(self, line: Line) -> BatchDraft:
        """The open batch, or one that is inferred because the plan shows none here."""
        if self.batch is None or self.batch.gate:
            stage = self._stage_at(line)
            number = _next_batch(stage)
            self.batch = BatchDraft(number, f"Batch {number}", line.number, sequential=True, inferred=True)
            stage.batches.append(self.batch)
            self.levels["batch"] = max(self.levels["stage"] + 1, 2)
            message = f"What follows stands outside a batch and is read as Batch {number:02}."
            self.findings.add(
                "inferred-batch", line.number, message, f"Write `##### Batch {number:02}: name` above it."
            )
        return self.batch

    # -- content

    def _belongs_to_step(self, line: Line) -> bool:
        """Nested lines, and blank lines between them, belong to the step above them."""
        if self.step is None or (line.kind is not LineKind.BLANK and line.indent <= self.step.indent):
            return False
        self.step.notes.take(line)
        return True

    def _question(self, line: Line) -> None:
        if line.kind is not LineKind.BULLET or line.indent > 1:
            return
        box = read_box(line.body)
        if box is None:
            message = f"The line under Questions has no check box: {_short(line.body)}"
            self.findings.add(
                "question-without-box", line.number, message, "Write `- [ ] question` or `- [x] answer`."
            )
        elif box[1]:
            self.draft.questions.append(Question(box[1], line.number, answered=bool(box[0])))

    def _lane_line(self, line: Line) -> None:
        declared = read_lane(line.body)
        if declared:
            lane, name = declared
            self.lane = LaneDraft(lane, name or f"WS-{lane}", line.number)
            if lane in self.draft.lanes:
                message = f"Lane WS-{lane} is declared on line {self.draft.lanes[lane].line} already."
                self.findings.add("duplicate-number", line.number, message, "Give every lane its own letter.")
            self.draft.lanes.setdefault(lane, self.lane)
        elif self.lane:
            self.lane.notes.take(line)

    def _loose_line(self, line: Line) -> None:
        step = self._read_step(line)
        if step:
            self.draft.loose.append(step)

    def _definition_line(self, line: Line) -> None:
        self._warn_about_step(line, "text of a stage")
        self._warn_about_gate(line, "text of a stage")
        self._add_to_definition(line)

    def _add_to_definition(self, line: Line) -> None:
        assert self.stage is not None
        found = read_property(line.body)
        if found and found[0] == "kind" and line.kind is not LineKind.CODE:
            notes = Notes()
            notes.take_property(line)
            self.stage.kind = notes.values["kind"][0]
        else:
            self.stage.definition.append(line.raw)

    def _stage_step_line(self, line: Line) -> None:
        step = self._read_step(line)
        if step:
            self._batch_at(line).steps.append(step)
            self.section = "batch"
        else:
            self._add_to_definition(line)

    def _batch_line(self, line: Line) -> None:
        assert self.batch is not None
        step = self._read_step(line)
        if step:
            self.batch.steps.append(step)
            return
        self._warn_about_gate(line, "text of a batch")
        if line.kind is LineKind.BULLET and read_box(line.body):
            message = f"The check box has no key and is read as text: {_short(line.body)}"
            self.findings.add(
                "box-without-key", line.number, message, "Give it a key: `- A1: what is to be done`."
            )
        self.batch.summary.append(line.raw)

    def _preamble_line(self, line: Line) -> None:
        assert self.thread is not None
        if self._label(line):
            return
        step = self._read_step(line)
        if step:
            self.thread.steps.append(step)
        elif line.kind is LineKind.BLANK or not self.thread.notes.take_keyed(line):
            self._details_text(line.raw)

    def _label(self, line: Line) -> bool:
        """`**Summary:**`, `**Details:**` and `**Tasks:**` open a part of a thread."""
        label = read_label(line.body) if line.kind is LineKind.TEXT else None
        if label is None or self.thread is None:
            return False
        self.section = {"summary": "details", "details": "details", "tasks": "tasks"}[label[0]]
        self.section_name = label[0]
        if label[1]:
            self._details_text(label[1])
        return True

    def _details_line(self, line: Line) -> None:
        if self._label(line):
            return
        keyed = read_keyed(line.body) if line.kind is LineKind.BULLET and line.indent < 2 else None
        if keyed and keyed.strict:
            message = (
                f"The line looks like step {keyed.key} but stands in the details, so it is read as text."
            )
            self.findings.add(
                "step-in-details", line.number, message, "Put the steps of a thread under **Tasks:**."
            )
        self._details_text(line.raw)

    def _details_text(self, text: str) -> None:
        assert self.thread is not None
        if _LAST_UPDATED.fullmatch(text.strip()):
            return
        into = self.thread.summary if self.section_name == "summary" else self.thread.details
        into.append(text)

    def _tasks_line(self, line: Line) -> None:
        assert self.thread is not None
        if self._label(line):
            return
        step = self._read_step(line, every=True)
        if step:
            self.thread.steps.append(step)
        elif line.kind is not LineKind.BLANK:
            self.thread.details.append(line.raw)

    def _gate_line(self, line: Line) -> None:
        assert self.batch is not None
        assert self.batch.gate is not None
        self._warn_about_step(line, f"gate “{self.batch.gate.title or self.batch.gate.key}”")
        self.batch.gate.notes.take(line)

    def _other_line(self, line: Line) -> None:
        where = f"section “{self.section_name}”"
        self._warn_about_step(line, where)
        self._warn_about_gate(line, where)

    def _warn_about_step(self, line: Line, where: str) -> None:
        keyed = read_keyed(line.body) if line.kind is LineKind.BULLET else None
        if keyed and keyed.strict and lane_of(keyed.key):
            message = f"The line looks like step {keyed.key}, but no steps are read in the {_short(where)}."
            fix = "Put steps below a Batch heading or under “## Task Dependencies”."
            self.findings.add("step-outside", line.number, message, fix)

    def _warn_about_gate(self, line: Line, where: str) -> None:
        """What only a gate has, in a place where no gate was read: its heading was not understood."""
        found = read_property(line.body) if line.kind is LineKind.BULLET else None
        if found and found[0] in GATES_ONLY:
            message = f"“{_short(line.body)}” belongs to a gate, but stands in the {_short(where)}."
            self.findings.add("gate-not-read", line.number, message, "Head the gate with `##### Gate: name`.")

    def _read_step(self, line: Line, *, every: bool = False) -> StepDraft | None:
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
            self.draft.boxes[line.number] = keyed.box.lower()
            message = f"{keyed.key or _short(title)} is ticked “{keyed.box}”."
            self.findings.add("work-in-progress", line.number, message, ADOPT_IT)
        self.step = StepDraft(keyed.key, title, line.number, line.indent, needs, parallel or None)
        return self.step


def _next_batch(stage: StageDraft) -> int:
    return next((batch.number for batch in reversed(stage.batches) if not batch.gate), 0) + 1


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
