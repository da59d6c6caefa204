"""The mapping of a migration: which step of a new version each step of work in flight becomes.

Requirements: FR-016, EC-4.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import MappingKind


@dataclass(frozen=True, slots=True)
class Definition:
    """A step of the old or the new version: as the scheduler sees it, and what it asks for (`facts`).

    Of the old side, `tried` says that an attempt ran or ended, `integrated` that its result is part of the
    base branch. Of the new side, `occupied` says that a task stands there which a roll back cancelled.
    """

    view: TaskView
    title: str
    facts: tuple[str, ...] = ()
    tried: bool = False
    integrated: bool = False
    occupied: bool = False

    @property
    def key(self) -> str:
        return self.view.key


@dataclass(frozen=True, slots=True)
class StepMapping:
    """One line. Of several `new` steps (a split) or `old` ones (a merge) the first carries the attempts.

    `redo` is for a started step whose definition changed: True does it again, False lets what was done stand,
    None leaves it open, which is refused. `reason` is why a step is dropped. `suggested` marks a guess.
    """

    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    redo: bool | None = None
    reason: str = ""
    suggested: bool = False

    @property
    def kind(self) -> MappingKind:
        if not self.old:
            return MappingKind.ADDED
        if not self.new:
            return MappingKind.DROPPED
        if len(self.old) > 1:
            return MappingKind.MERGED
        if len(self.new) > 1:
            return MappingKind.SPLIT
        return MappingKind.SAME if self.old == self.new else MappingKind.RENAMED

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "StepMapping":
        return cls(tuple(data["old"]), tuple(data["new"]), data["redo"], data["reason"])

    def as_data(self) -> dict[str, object]:
        """As JSON: what history and a version with a later effective date keep."""
        return {"old": list(self.old), "new": list(self.new), "redo": self.redo, "reason": self.reason}


def completed(
    lines: Iterable[StepMapping], old: Sequence[str], new: Sequence[str]
) -> tuple[StepMapping, ...]:
    """The lines with one for every step that they leave out.

    It stays under its key, or else is dropped or added.
    """
    given = tuple(lines)
    said = {key for line in given for key in line.old}
    taken = {key for line in given for key in line.new}
    there = set(new)
    rest = [StepMapping((k,), (k,) if k in there - taken else ()) for k in old if k not in said]
    taken |= {key for line in rest for key in line.new}
    return (*given, *rest, *(StepMapping((), (key,)) for key in new if key not in taken))


def faults(lines: Sequence[StepMapping], old: Iterable[str], new: Iterable[str]) -> dict[int, str]:
    """What is wrong with a line as such, by its position.

    Unknown keys, a key in two lines, several for several.
    """
    times = (Counter(k for line in lines for k in line.old), Counter(k for line in lines for k in line.new))
    known = (frozenset(old), frozenset(new))
    found = ((n, next(_faults(line, known, times), "")) for n, line in enumerate(lines))
    return {n: sentence for n, sentence in found if sentence}


def _faults(
    line: StepMapping, known: tuple[frozenset[str], frozenset[str]], times: tuple[Counter[str], Counter[str]]
) -> Iterator[str]:
    for keys, there, counted, which in zip(
        (line.old, line.new), known, times, ("running version", "new version"), strict=True
    ):
        yield from (f"{key} is not a step of the {which}" for key in keys if key not in there)
        yield from (f"{key} of the {which} is mapped twice" for key in keys if counted[key] > 1)
    if len(line.old) > 1 and len(line.new) > 1:
        yield "several steps cannot become several others in one line"
    if not line.old and not line.new:
        yield "the line names no step"
