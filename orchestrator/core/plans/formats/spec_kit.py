"""spec-kit's `tasks.md`: phases of `T001` boxes, `[P]` for parallel, `[US1]` for the story, checkpoints,
prose.

A phase is a stage: phases follow one another as they stand. Inside a phase tasks go in order, neighbours
marked `[P]` together. A checkpoint is a review gate. `T006-T010 depend on T001-T005` and `T044 → T045` in the
prose become dependencies where they point backwards; all of that is inferred and told to the reviewer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats.spec_kit_ids import RANGE, STORY, clean, ids_in, without_end
from orchestrator.core.plans.formats.spec_kit_needs import SpecKitNeeds
from orchestrator.core.plans.plan import Progress, Reading
from orchestrator.core.plans.prose.parts import Parts, parts_of_lines
from orchestrator.core.plans.prose.references import said_in, split_dependency
from orchestrator.core.plans.reading.build import build_plan
from orchestrator.core.plans.reading.drafts import (
    BatchDraft,
    GateDraft,
    Notes,
    PlanDraft,
    StageDraft,
    StepDraft,
    ThreadDraft,
    Value,
)
from orchestrator.core.plans.reading.json_source import LONGEST_NAME, name_of, one_line
from orchestrator.core.plans.reading.progress import tell_state
from orchestrator.core.plans.text.boxes import BOX, split_box, status_of_mark
from orchestrator.core.plans.text.front_matter import FrontMatter, read_front_matter
from orchestrator.core.plans.text.lines import Line, LineKind, scan, split_lines
from orchestrator.core.plans.text.paths import path_in
from orchestrator.core.plans.text.titles import split_title
from orchestrator.core.terms import TaskStatus

_ID: Final = r"T\d{3,9}[a-z]?"
_BOXES: Final = rf"(?:(?:[-*+][ \t]+)?{BOX}[ \t]*){{0,4}}"
_TASK: Final = re.compile(rf"(?P<boxes>{_BOXES})(?:\*\*)?(?P<id>{_ID}\b)?(?:\*\*)?:?(?P<rest>.*)", re.DOTALL)
_LATE_BOX: Final = re.compile(r"[ \t]*\[([ xX])\]")
_LABEL: Final = re.compile(r"[ \t]*\[(P|US\d{1,4}|S\d{1,4}|[A-Z]{1,12}\d{0,4})\][ \t]*")
_PHASE: Final = re.compile(r"phase[ \t]+\d{1,4}(?:\.\d{1,4})*\b.*", re.IGNORECASE | re.DOTALL)
_NUMBERED: Final = re.compile(r"phase[ \t]+[\d.]{1,20}[ \t]*[:–—-]?[ \t]*", re.IGNORECASE)
_CHECKPOINT: Final = re.compile(
    r"(?:>[ \t]*)?\*\*[^\w*]{0,4}checkpoint\b:?([^*]{0,200}?):?\*\*:?[ \t]*(.*)", re.IGNORECASE | re.DOTALL
)
#: A subordinate clause says something else: `after Phase 2, integrates with US1`.
_CLAUSE: Final = re.compile(r"[;(]|,(?![ \t]*(?:T\d|US\d|and\b))")
_SIDE_BY_SIDE: Final = re.compile(r"\b(?:US\d|user stor(?:y|ies)).{0,80}\bparallel\b", re.IGNORECASE)
_PATH: Final = re.compile(r"`([^`\s]{1,200})`")
#: A value that names tasks and nothing else: `T001, T002-T004 and T006`.
_IDS_ONLY: Final = re.compile(r"(?:T\d{3,9}[a-z]?|[ \t,&+–.-]|and|to){1,200}", re.IGNORECASE)
_DEPENDS: Final = re.compile(
    r"(.{1,300}?)\b(?:depends? on|requires?|blocked by|after)\b(.{1,300})", re.IGNORECASE
)
_ARROW: Final = re.compile(r"→|-->|->")
#: Sentences about dependencies that are read.
MOST_SPOKEN: Final = 2_000


def looks_like(text: str) -> bool:
    """Whether some bullets are boxes with a spec-kit id."""
    return bool(re.search(rf"(?m)^[ \t]{{0,12}}[-*+][ \t]+(?:{BOX}[ \t]*)?(?:\*\*)?{_ID}\b", text[:200_000]))


@dataclass(slots=True)
class _Phase:
    name: str
    line: int
    numbered: bool
    stories: list[str] = field(default_factory=list)
    steps: list[StepDraft] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    checkpoint: tuple[str, int] = ("", 0)


def read(text: str) -> Reading:
    findings = Findings()
    reader = _SpecKitReader(findings)
    reader.take_all(split_lines(text))
    reader.fill()
    reader.tell()
    phases = [phase for phase in reader.phases if phase.steps]
    draft = PlanDraft(name=reader.name, summary=[*reader.summary, *_around(reader.phases)])
    draft.stages += [_stage(number, phase, findings) for number, phase in enumerate(phases, 1)]
    plan = build_plan(draft, FrontMatter(), findings)
    steps = plan.steps() if plan else ()
    progress = tuple(
        Progress(step.key, reader.state[step.line][0], step.line, report=reader.state[step.line][1])
        for step in steps
        if step.line in reader.state
    )
    tell_state(progress, findings)
    return Reading(plan, findings.all(), progress)


def _around(phases: list[_Phase]) -> Iterator[str]:
    """The text of sections without tasks, with their headings."""
    for phase in phases:
        if not phase.steps:
            yield from ("", f"## {phase.name}", "", *phase.text)


def _stage(number: int, phase: _Phase, findings: Findings) -> StageDraft:
    thread = ThreadDraft("01", _NUMBERED.sub("", phase.name) or phase.name, phase.line, steps=phase.steps)
    stage = StageDraft(number, phase.name, phase.line, definition=phase.text)
    stage.batches.append(BatchDraft(1, phase.name, phase.line, threads=[thread]))
    said, line = phase.checkpoint
    if line:
        gate = GateDraft(
            f"CP{number}", one_line(f"Checkpoint of {phase.name}", LONGEST_NAME), line, merge=False
        )
        gate.notes.values["kind"] = [Value(["review"], line)]
        if said:
            gate.notes.values["action"] = [Value([said], line)]
        stage.batches.append(BatchDraft(-1, "", line, gate=gate))
        message = f"The checkpoint of “{phase.name[:60]}” is read as a review gate, CP{number}."
        findings.add("inferred-kind", line, message, "Take the checkpoint out if nobody has to sign there.")
    return stage


class _SpecKitReader:
    """Takes the lines in order; phases hold the tasks, prose is looked through for dependencies."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.name = ""
        self.summary: list[str] = []
        self.phases: list[_Phase] = []
        self.place: dict[str, int] = {}
        self.by_id: dict[str, StepDraft] = {}
        self.spoken: list[tuple[list[str], list[str], int]] = []
        self.stories: dict[str, list[str]] = {}
        self.side_by_side = 0
        self.count: dict[str, int] = {}
        #: Status and note of the tasks that are not open, by line.
        self.state: dict[int, tuple[TaskStatus, str]] = {}
        self.open: StepDraft | None = None
        #: The lines below each task, by the line of the task.
        self.bodies: dict[int, list[Line]] = {}
        self.waits: list[tuple[StepDraft, str, int]] = []

    def take_all(self, texts: list[str]) -> None:
        lines = read_front_matter(texts, Findings()).lines
        self.summary += texts[1 : max(1, lines - 1)]
        for line in scan(texts[lines:], lines + 1).lines:
            self.take(line)

    def take(self, line: Line) -> None:
        if line.kind is LineKind.HEADING:
            self.open = None
            self._heading(line)
        elif line.kind is LineKind.BULLET and self._task(line):
            return
        elif self.open is not None and (line.kind is LineKind.BLANK or line.indent > self.open.indent):
            self.bodies.setdefault(self.open.line, []).append(line)
            self._look_for_needs(line)
        else:
            self.open = None if line.kind is not LineKind.BLANK else self.open
            self._prose(line)

    def _heading(self, line: Line) -> None:
        if line.level == 1:
            self.name = self.name or name_of(line.body.removeprefix("Tasks:"))
        elif _PHASE.fullmatch(line.body):
            stories = [f"US{number}" for number in STORY.findall(line.body)[:1]]
            self.phases.append(
                _Phase(clean(line.body, LONGEST_NAME) or "Phase", line.number, numbered=True, stories=stories)
            )
        elif line.level == 2:
            self.phases.append(_Phase(clean(line.body, LONGEST_NAME) or "Tasks", line.number, numbered=False))
        else:
            self._around().append(line.raw)

    def _task(self, line: Line) -> bool:
        found = _TASK.fullmatch(line.body)
        if found is None:
            return False
        key, boxes, rest = found["id"] or "", found["boxes"], found["rest"]
        late = _LATE_BOX.match(rest) if key and not boxes else None
        if late:
            rest = rest[late.end() :]
        in_phase = bool(self.phases) and self.phases[-1].numbered
        boxed = bool(boxes or late)
        if not (key and boxed) and not (in_phase and (key or boxed)):
            return False
        if key and not boxed and RANGE.search(rest):
            return False
        if not self.phases:
            self.phases.append(_Phase("Tasks", line.number, numbered=False))
        self._add(key, boxes + (late[0] if late else ""), rest, line)
        return True

    def _add(self, key: str, boxes: str, rest: str, line: Line) -> None:
        labels: list[str] = []
        while label := _LABEL.match(rest):
            labels.append(label[1])
            rest = rest[label.end() :]
        rest, ended = without_end(rest)
        rest, waits = split_dependency(rest)
        key = self._free(key, line)
        step = StepDraft(key, rest, line.number, line.indent, parallel="P" in labels, notes=Notes())
        if waits:
            self.waits.append((step, waits, line.number))
        stories = [label for label in labels if label != "P"]
        if stories:
            step.notes.text.append(f"Story: {', '.join(stories)}")
        marks = [split_box(f"{box.strip()}] ") for box in boxes.replace("- [", "[").split("]") if box.strip()]
        mark = next((found[0] for found in marks if found and found[0]), "")
        status = status_of_mark(mark, line.number, self.findings)
        if status is not TaskStatus.PENDING or ended:
            self.state[line.number] = (
                status if status is not TaskStatus.PENDING else TaskStatus.COMPLETE,
                (ended[1] or "").strip("()") if ended else "",
            )
        self.open = step
        self.phases[-1].steps.append(step)
        if key:
            self.place[key] = len(self.place)
            self.by_id[key] = step
            named = [label for label in stories if label.startswith("US")] or self.phases[-1].stories
            for story in named:
                self.stories.setdefault(story.upper(), []).append(key)

    def _free(self, key: str, line: Line) -> str:
        """The key, or the next free one when an earlier task has it: no task of an irregular file is lost."""
        if key not in self.by_id:
            return key
        self.count[key] = self.count.get(key, 1) + 1
        free = f"{key}-{self.count[key]}"
        message = f"{key} stands on line {self.by_id[key].line} and again here; this one is read as {free}."
        self.findings.add("duplicate-id", line.number, message, "Give each task an id of its own.")
        return free

    def _around(self) -> list[str]:
        """The text of the open section, or what stands in front of all of them."""
        return self.phases[-1].text if self.phases else self.summary

    def _prose(self, line: Line) -> None:
        checkpoint = _CHECKPOINT.fullmatch(line.body)
        if checkpoint and self.phases and self.phases[-1].steps:
            self.phases[-1].checkpoint = (one_line(checkpoint[2] or checkpoint[1], 1000), line.number)
        else:
            self._around().append(line.raw)
        if not self.side_by_side and _SIDE_BY_SIDE.search(line.body[:1000]):
            self.side_by_side = line.number
        self._look_for_needs(line)

    def _look_for_needs(self, line: Line) -> None:
        if line.kind is LineKind.CODE or len(self.spoken) >= MOST_SPOKEN:
            return
        if "T" in line.body or "U" in line.body:
            self._spoken(line)

    def _spoken(self, line: Line) -> None:
        parts = _ARROW.split(line.body)
        if len(parts) > 1:
            named = [ids_in(part) for part in parts]
            self.spoken += [(after, before, line.number) for before, after in pairwise(named)]
        elif depends := _DEPENDS.match(line.body[:1000]):
            self.spoken.append(
                (ids_in(depends[1]), ids_in(_CLAUSE.split(depends[2], maxsplit=1)[0]), line.number)
            )

    def fill(self) -> None:
        """Give every task what stands below it: the rest of its sentence, files, criteria, details."""
        for phase in self.phases:
            for step in phase.steps:
                lines = self.bodies.get(step.line, ())
                below = ((line.number, line.raw, line.kind is LineKind.CODE) for line in lines)
                self._fill(step, parts_of_lines(below, wraps=True))

    def _fill(self, step: StepDraft, parts: Parts) -> None:
        whole = " ".join([step.title, *parts.title])
        title, waits = split_dependency(whole)
        if waits:
            self.waits.append((step, waits, step.line))
        spoken_of = said_in(title)
        parts.waits += [(value, step.line, True) for value in (spoken_of[1] if spoken_of else ())]
        own = [path for word in _PATH.findall(title) if (path := path_in(word))]
        step.title, long = split_title(clean(title))
        step.notes.text += [long, ""] if long else []
        for name, texts in (("files", [f"`{path}`" for path in [*own, *parts.files]]), ("exit", parts.exits)):
            if texts:
                step.notes.values[name] = [Value([text], step.line) for text in dict.fromkeys(texts)]
        if parts.estimate:
            step.notes.values["estimate"] = [Value([parts.estimate], step.line)]
        step.notes.text += parts.details
        for value, line, spoken in parts.waits:
            if not spoken or _IDS_ONLY.fullmatch(value.strip(" `*.")):
                self.waits.append((step, value, line))

    def tell(self) -> None:
        """Turn what the text says into dependencies, and say what was inferred and what was left out."""
        phases = [phase.line for phase in self.phases]
        needs = SpecKitNeeds(self.by_id, self.place, self.stories, phases, self.findings)
        needs.state(self.waits)
        for after, before, line in self.spoken:
            known = [key for key in after if key in self.by_id], [key for key in before if key in self.by_id]
            if all(known):
                needs.relate(*known, line)
            else:
                needs.relate_stories(after, before, line)
        if self.side_by_side and len([phase for phase in self.phases if phase.numbered]) > 1:
            message = (
                "The phases are done one after another, although the text says that some may run "
                "side by side."
            )
            self.findings.add(
                "inferred-stage", self.side_by_side, message, "Write them as threads of one batch."
            )
