"""The account as a value: every line of a source that looks like work or a dependency, and what became of it.

Whatever a reader is, the number of these lines is the number of steps, headings of steps, parts of steps,
lines kept as text, lines that a finding names and lines that are not read (WF-2).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Final, NamedTuple

_SHOWN: Final = 12


class WorkKind(Enum):
    """How a line looks like work: the word for one and for several of its kind."""

    BOX = ("box", "boxes")
    KEYED = ("keyed item", "keyed items")
    NUMBERED = ("numbered item", "numbered items")
    ITEM = ("item", "items")
    HEADING = ("task heading", "task headings")
    ROW = ("table row", "table rows")
    TASK = ("task", "tasks")
    OTHER = ("other line", "other lines")
    DEPENDENCY = ("dependency", "dependencies")


class Fate(Enum):
    """What the reading made of a line: the word for one and for several of them."""

    STEP = ("step", "steps")
    HEADING = ("heading of steps", "headings of steps")
    PART = ("detail", "details")
    TEXT = ("kept as text", "kept as text")
    FINDING = ("named in a finding", "named in a finding")
    UNREAD = ("not read", "not read")


class WorkLine(NamedTuple):
    """A line that looks like work. `number` counts from 1, 0 where a value stands on no line of its own.

    `text` is the line without the marks in front of it; `under` is the heading above it. Of a dependency
    `text` is what is waited for and `before` what stands in front of the phrase. `aside` says that the
    headings above are those of text: context, notes, risks.
    """

    number: int
    kind: WorkKind
    text: str
    under: str = ""
    before: str = ""
    aside: bool = False


class AccountEntry(NamedTuple):
    """A line that looks like work, and its fate."""

    line: WorkLine
    fate: Fate


@dataclass(frozen=True, slots=True)
class Account:
    """All of them in the order of the source."""

    entries: tuple[AccountEntry, ...] = ()

    def count(self, fate: Fate) -> int:
        return sum(1 for entry in self.entries if entry.fate is fate)

    @property
    def unread(self) -> tuple[int, ...]:
        """The lines that the reading left out, each once, ascending."""
        return self._lines(Fate.UNREAD)

    @property
    def as_text(self) -> tuple[int, ...]:
        """The lines that stand in the text of the plan and in no step."""
        return self._lines(Fate.TEXT)

    @property
    def sentence(self) -> str:
        """The account in one line: `14 boxes: 9 steps, 4 details, 1 not read: line 40.`"""
        if not self.entries:
            return "Nothing in the source looks like work."
        work = [entry for entry in self.entries if entry.line.kind is not WorkKind.DEPENDENCY]
        waits = [entry for entry in self.entries if entry.line.kind is WorkKind.DEPENDENCY]
        return " ".join(_said(part) for part in (work, waits) if part)

    @property
    def marks(self) -> dict[int, str]:
        """What a page says beside a line, by its number: `not read` or `kept as text`."""
        told = (Fate.TEXT, Fate.UNREAD)
        return {entry.line.number: entry.fate.value[0] for entry in self.entries if entry.fate in told}

    def _lines(self, fate: Fate) -> tuple[int, ...]:
        numbers = {entry.line.number for entry in self.entries if entry.fate is fate}
        return tuple(sorted(numbers - {0}))


#: Of a text that cannot be read.
NOTHING_COUNTED: Final = Account()


def _said(entries: list[AccountEntry]) -> str:
    kinds = Counter(entry.line.kind for entry in entries)
    waits = WorkKind.DEPENDENCY in kinds
    fates = Counter(entry.fate for entry in entries)
    parts = []
    for fate in Fate:
        if not fates[fate]:
            continue
        word = "read" if waits and fate in (Fate.STEP, Fate.HEADING, Fate.PART) else _word(fate, fates[fate])
        lines = {entry.line.number for entry in entries if entry.fate is fate}
        where = f": {spans(lines)}" if fate in (Fate.TEXT, Fate.UNREAD) and lines - {0} else ""
        parts.append(f"{fates[fate]:,} {word}{where}")
    names = [f"{kinds[kind]:,} {_word(kind, kinds[kind])}" for kind in WorkKind if kinds[kind]]
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    return f"{listed}: {', '.join(parts)}."


def _word(word: Fate | WorkKind, count: int) -> str:
    single, several = word.value
    return str(single if count == 1 else several)


class _Steady:
    """The same for numbers that follow one another without a gap."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, number: int) -> int:
        self.count += 1
        return number - self.count


def spans(numbers: Iterable[int]) -> str:
    """Lines as people name them: `line 40`, `lines 3 to 5, 9 and 12`."""
    ordered = sorted(set(numbers) - {0})
    runs = [list(run) for _, run in groupby(ordered, key=_Steady())]
    texts = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:_SHOWN]]
    if len(runs) > _SHOWN:
        texts.append(f"{sum(len(run) for run in runs[_SHOWN:])} more")
    listed = " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)
    return f"line{'s' if len(ordered) > 1 else ''} {listed}"
