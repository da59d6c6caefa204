"""A plan while it is being read.

The same shapes as `core.plan`, still open and still in the plan's own words.
"""

from dataclasses import dataclass, field
from textwrap import dedent
from typing import Final

from orchestrator.core.plans.plan import Question
from orchestrator.core.plans.text.escapes import unescape
from orchestrator.core.plans.text.lines import Line, LineKind
from orchestrator.core.plans.text.phrases import read_property


@dataclass(slots=True)
class Value:
    """What a property says; text that continues on further lines is one value."""

    parts: list[str]
    line: int

    @property
    def text(self) -> str:
        return " ".join(self.parts).strip()


@dataclass(slots=True)
class Notes:
    """The keyed bullets below something, by property, and the text that is none."""

    values: dict[str, list[Value]] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    _open: list[Value] | None = None
    _open_indent: int = 0
    _open_list: bool = False

    def take(self, line: Line) -> None:
        """Read a line as a property, as one more value of the property it is nested under, or as text."""
        if line.kind is LineKind.BLANK:
            self.text.append("")
        elif not self.take_property(line) and not self._take_nested(line):
            self._open = None
            self.text.append(line.raw)

    def take_keyed(self, line: Line) -> bool:
        """Read a bullet as a property, or a nested line as more of the property above it; else leave it."""
        taken = (line.kind is LineKind.BULLET and self.take_property(line)) or self._take_nested(line)
        if not taken:
            self._open = None
        return taken

    def take_property(self, line: Line) -> bool:
        nested = self._open is not None and line.indent > self._open_indent
        if nested and (self._open_list or line.kind is not LineKind.BULLET):
            return False
        found = read_property(line.body) if line.kind in (LineKind.BULLET, LineKind.TEXT) else None
        if found is None:
            return False
        name, text = found
        self._open, self._open_indent = self.values.setdefault(name, []), line.indent
        self._open.append(Value([text], line.number))
        self._open_list = not text
        return True

    def _take_nested(self, line: Line) -> bool:
        if self._open is None or line.indent <= self._open_indent or line.kind is LineKind.CODE:
            return False
        if line.kind is LineKind.BULLET:
            self._open.append(Value([line.body], line.number))
        elif line.kind is LineKind.TEXT:
            self._open[-1].parts.append(line.body)
        return True

    def of(self, name: str) -> list[Value]:
        return [value for value in self.values[name] if value.text] if name in self.values else []

    def first(self, name: str) -> str:
        return next((text for value in self.values.get(name, ()) if (text := value.text)), "")

    def line_of(self, name: str) -> int:
        return next((value.line for value in self.values.get(name, ())), 0)


@dataclass(slots=True)
class StepDraft:
    key: str
    title: str
    line: int
    indent: int = 0
    needs: list[str] = field(default_factory=list)
    parallel: bool | None = None
    notes: Notes = field(default_factory=Notes)
    need_lines: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class GateDraft:
    """`key` is empty when the plan gives none; `merge` marks a merge point.

    `kind` is the word before “gate”.
    """

    key: str
    title: str
    line: int
    merge: bool
    kind: str = ""
    notes: Notes = field(default_factory=Notes)


@dataclass(slots=True)
class LaneDraft:
    lane: str
    name: str
    line: int
    notes: Notes = field(default_factory=Notes)


@dataclass(slots=True)
class ThreadDraft:
    lane: str
    name: str
    line: int
    notes: Notes = field(default_factory=Notes)
    summary: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    steps: list[StepDraft] = field(default_factory=list)


@dataclass(slots=True)
class BatchDraft:
    """`steps` stand directly in the batch and are sorted into threads; a gate is a batch of its own.

    `bullets` are the plain ones, with their places in the summary. Of one that is `derived` the plan writes
    neither that it is there nor its order. `beside` are gates that stand in the batch itself
    (`order: dependencies`).
    """

    number: int
    name: str
    line: int
    note: str = ""
    sequential: bool = False
    inferred: bool = False
    derived: bool = False
    summary: list[str] = field(default_factory=list)
    steps: list[StepDraft] = field(default_factory=list)
    bullets: list[tuple[Line, int]] = field(default_factory=list)
    threads: list[ThreadDraft] = field(default_factory=list)
    gate: GateDraft | None = None
    beside: list[GateDraft] = field(default_factory=list)

    @property
    def step_count(self) -> int:
        gates = bool(self.gate) + len(self.beside)
        return gates + len(self.steps) + sum(len(thread.steps) or 1 for thread in self.threads)


@dataclass(slots=True)
class StageDraft:
    number: int
    name: str
    line: int
    inferred: bool = False
    kind: Value | None = None
    definition: list[str] = field(default_factory=list)
    batches: list[BatchDraft] = field(default_factory=list)


@dataclass(slots=True)
class PlanDraft:
    """`loose` are the steps and gates that stand outside every batch; their batches follow from the
    dependencies.

    `boxes` has what stands in the check box of a step, by its line.
    """

    name: str = ""
    summary: list[str] = field(default_factory=list)
    stages: list[StageDraft] = field(default_factory=list)
    lanes: dict[str, LaneDraft] = field(default_factory=dict)
    loose: list[StepDraft | GateDraft] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    headings: int = 0
    boxes: dict[int, str] = field(default_factory=dict)

    @property
    def step_count(self) -> int:
        """Steps and gates; a thread that lists no steps is one."""
        batches = (batch for stage in self.stages for batch in stage.batches)
        return len(self.loose) + sum(batch.step_count for batch in batches)


#: What a text starts with that may be indented as a whole.
_INDENTS: Final = frozenset(" \t")


def joined(texts: list[str]) -> str:
    """Lines as one text without blank lines around it; escapes are undone."""
    if not texts:
        return ""
    whole = "\n".join([text.rstrip() for text in texts])
    plain = whole.strip("\n")
    if plain[:1] in _INDENTS or whole.count("\n") >= len(texts):
        plain = dedent(whole).strip("\n")
    return "\n".join(unescape(plain.split("\n"))) if "\\" in plain else plain
