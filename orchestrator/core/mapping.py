"""The mapping of a migration: which step of a new version each step of work in flight becomes (FR-016, EC-4)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from orchestrator.core.schedule import TaskView
from orchestrator.core.terms import MappingKind

#: Titles at least this similar, in the same place, are suggested as the same step.
ALIKE: Final = 0.6
#: Pairs of leftover steps that titles are compared for; beyond it nothing is guessed.
COMPARED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Definition:
    """A step of the old or the new version: as the scheduler sees it, and what it asks for (`facts`).

    Of the old side, `tried` says that an attempt ran or ended, `integrated` that its result is part of the base branch.
    Of the new side, `occupied` says that a task stands there which a roll back cancelled.
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

    `redo` is for a started step whose definition changed: True does it again, False lets what was done stand, None
    leaves it open, which is refused. `reason` is why a step is dropped. `suggested` marks a guess.
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


def completed(lines: Iterable[StepMapping], old: Sequence[str], new: Sequence[str]) -> tuple[StepMapping, ...]:
    """The lines with one for every step that they leave out: it stays under its key, or else is dropped or added."""
    given = tuple(lines)
    said = {key for line in given for key in line.old}
    taken = {key for line in given for key in line.new}
    there = set(new)
    rest = [StepMapping((k,), (k,) if k in there - taken else ()) for k in old if k not in said]
    taken |= {key for line in rest for key in line.new}
    return (*given, *rest, *(StepMapping((), (key,)) for key in new if key not in taken))


def faults(lines: Sequence[StepMapping], old: Iterable[str], new: Iterable[str]) -> dict[int, str]:
    """What is wrong with a line as such, by its position: unknown keys, a key in two lines, several for several."""
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


def suggest(old: Sequence[Definition], new: Sequence[Definition]) -> tuple[StepMapping, ...]:
    """A mapping to start from: equal keys, then equal titles, then similar titles in the same place; else dropped.

    Deterministic. What is not an equal key is marked as suggested; nothing is applied without a person.
    """
    left = {one.key: one for one in new}
    pairs = {one.key: one.key for one in old if one.key in left}
    for key in pairs.values():
        del left[key]
    missing = {one.key: one for one in old if one.key not in pairs}
    pairs |= _paired(missing, left, lambda one, other: float(_words(one.title) == _words(other.title)))
    pairs |= _paired(missing, left, _likeness)
    known = [one.key for one in old]
    lines = [StepMapping((key,), (pairs[key],), suggested=pairs[key] != key) for key in known if key in pairs]
    return completed(lines, known, [one.key for one in new])


def _paired(
    missing: dict[str, Definition], left: dict[str, Definition], score: Callable[[Definition, Definition], float]
) -> dict[str, str]:
    """Pairs of the same kind by falling score, ties in plan order; each step once; taken out of both sides."""
    if len(missing) * len(left) > COMPARED:
        return {}
    scored = [
        (-likeness, a, b, one.key, other.key)
        for a, one in enumerate(missing.values())
        for b, other in enumerate(left.values())
        if one.view.gate == other.view.gate and (likeness := score(one, other)) >= ALIKE
    ]
    pairs: dict[str, str] = {}
    for _, _, _, one_key, other_key in sorted(scored):
        if one_key in missing and other_key in left:
            pairs[one_key] = other_key
            del missing[one_key], left[other_key]
    return pairs


def _likeness(one: Definition, other: Definition) -> float:
    if one.view.place[:3] != other.view.place[:3]:
        return 0.0
    return SequenceMatcher(None, _words(one.title), _words(other.title), autojunk=False).ratio()


def _words(title: str) -> str:
    return " ".join(title.lower().split())
