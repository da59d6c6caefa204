"""A mapping to start from: which step of work in flight a step of a new version most likely is (FR-016,
EC-4).

Keys, titles and criteria speak for it. Nothing is applied without a person, so a guess may be wrong, but what
is marked as certain may not: only an equal key with a title that still says the same is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from orchestrator.core.changes.mapping import Definition, StepMapping, completed
from orchestrator.core.changes.similarity import words_of

#: Steps at least this alike are the same one: in the same thread, and anywhere in the plan.
ALIKE: Final = 0.6
SURE: Final = 0.8
#: How much of a step's words have to stand in another one for it to be a part of that one.
PART: Final = 0.6
#: Letters that have to agree for two titles to differ by a slip only.
SLIP: Final = 0.88
#: Pairs of steps that are compared; beyond it only equal keys and titles are suggested.
COMPARED: Final = 30_000
_STOP: Final = frozenset(
    ["a", "all", "also", "an", "and", "by", "for", "from", "in", "into", "it", "its"]
) | frozenset(["new", "of", "on", "or", "the", "then", "to", "with"])
_STEM: Final = 4
_SUFFIX: Final = re.compile(r"[.\-_]?[a-z]|[.\-_]\d{1,2}")


def suggest(old: Sequence[Definition], new: Sequence[Definition]) -> tuple[StepMapping, ...]:
    """Deterministic: equal keys and titles, moved titles, alike steps, what is left under its key; splits and
    merges.

    Whatever is a guess is marked as suggested. Steps that resemble nothing are dropped or added.
    """
    return _Guess(old, new).lines()


def lookalikes(dropped: Sequence[Definition], added: Sequence[Definition]) -> tuple[StepMapping, ...]:
    """What goes and what comes when steps stay under their keys, and is most likely the same work.

    Nothing is compared when that would take long.
    """
    if len(dropped) * len(added) > COMPARED:
        return ()
    return tuple(line for line in suggest(dropped, added) if line.old and line.new)


class _Guess:
    def __init__(self, old: Sequence[Definition], new: Sequence[Definition]) -> None:
        self.old, self.new = old, new
        self.here, self.there = (
            {definition.key: definition for definition in old},
            {definition.key: definition for definition in new},
        )
        self.missing, self.left = dict(self.here), dict(self.there)
        self.pairs: dict[str, str] = {}
        self.parts: dict[str, tuple[str, ...]] = {}
        self.words = {("old", definition.key): _words(definition.title) for definition in old}
        self.words |= {("new", definition.key): _words(definition.title) for definition in new}
        self.proofs = {("old", k): v for k, v in _rare_criteria(old).items()}
        self.proofs |= {("new", k): v for k, v in _rare_criteria(new).items()}

    def lines(self) -> tuple[StepMapping, ...]:
        self._by_key(1)
        self._by_title()
        self._by_key(ALIKE)
        if len(self.missing) * len(self.left) <= COMPARED:
            self._by_likeness()
        self._by_key(0)
        self._find_splits()
        self._find_merges()
        known = [definition.key for definition in self.old]
        return completed(self._found(), known, [definition.key for definition in self.new])

    def _found(self) -> Iterator[StepMapping]:
        carried: dict[str, list[str]] = {}
        for definition in self.old:
            if definition.key in self.pairs:
                carried.setdefault(self.pairs[definition.key], []).append(definition.key)
        for target, olds in carried.items():
            parts = tuple(part for key in olds for part in self.parts.get(key, ()))
            same = olds == [target] and not parts and self._same_kind(target)
            sure = same and self._likeness(target, target) >= ALIKE
            yield StepMapping(tuple(olds), (target, *parts), suggested=not sure)

    def _pair(self, old: str, new: str) -> None:
        self.pairs[old] = new
        del self.missing[old], self.left[new]

    def _by_key(self, least: float) -> None:
        """Equal keys of steps that are at least so alike; of 0 even a gate and a step."""
        for key in [key for key in self.missing if key in self.left]:
            if not least or (self._same_kind(key) and self._likeness(key, key) >= least):
                self._pair(key, key)

    def _same_kind(self, key: str) -> bool:
        return self.here[key].view.gate == self.there[key].view.gate

    def _by_title(self) -> None:
        """Equal titles whatever their keys, those in the same thread first, others in plan order."""
        for near in (True, False):
            there: dict[object, list[str]] = {}
            for other in self.left.values():
                there.setdefault(_title(other, near=near), []).append(other.key)
            for one in list(self.missing.values()):
                if same := there.get(_title(one, near=near)):
                    self._pair(one.key, same.pop(0))

    def _by_likeness(self) -> None:
        """Pairs by falling likeness, ties in plan order; each step once."""
        scored = []
        for a, one in enumerate(self.missing.values()):
            for b, other in enumerate(self.left.values()):
                if one.view.gate == other.view.gate:
                    least = ALIKE if one.view.place[:3] == other.view.place[:3] else SURE
                    if (likeness := self._likeness(one.key, other.key)) >= least:
                        scored.append((-likeness, a, b, one.key, other.key))
        for _, _, _, old, new in sorted(scored):
            if old in self.missing and new in self.left:
                self._pair(old, new)

    def _likeness(self, old: str, new: str) -> float:
        mine, its = self.words["old", old], self.words["new", new]
        proofs, others = self.proofs["old", old], self.proofs["new", new]
        shared = len(proofs & others) / len(proofs | others) if proofs and others else 0.0
        return max(_alike(mine, its), shared * SURE)

    def _find_splits(self) -> None:
        """Leftover steps that are parts of an old one: by their key (A1a of A1), words or criteria."""
        for definition in self.old:
            target = self.pairs.get(definition.key, "")
            if definition.view.gate or (target and self._unchanged(definition.key, target)):
                continue
            found = [
                key
                for key, other in self.left.items()
                if not other.view.gate and self._part_of(key, definition.key)
            ]
            if found and (not target or self._part_of(target, definition.key)):
                self._split(definition.key, target, found)

    def _split(self, old: str, target: str, found: list[str]) -> None:
        """The part under the same key carries, else the first one in plan order."""
        for key in found:
            del self.left[key]
        self.missing.pop(old, None)
        place = {other.key: n for n, other in enumerate(self.new)}
        parts = sorted([target, *found] if target else found, key=lambda key: (key != old, place[key]))
        self.pairs[old], self.parts[old] = parts[0], tuple(parts[1:])

    def _unchanged(self, old: str, new: str) -> bool:
        return (
            self.words["old", old] == self.words["new", new]
            and self.proofs["old", old] <= self.proofs["new", new]
        )

    def _part_of(self, new: str, old: str) -> bool:
        mine, whole = self.words["new", new], self.words["old", old]
        family = new.startswith(old) and _SUFFIX.fullmatch(new[len(old) :].lower()) is not None
        if family and (old not in self.pairs or _shared(mine, whole)):
            return True
        return bool(self.proofs["new", new] & self.proofs["old", old]) or self._covers(new, old)

    def _covers(self, new: str, old: str) -> bool:
        """Whether most words of the new step's title are the old one's."""
        mine = self.words["new", new]
        return len(mine) > 1 and _shared(mine, self.words["old", old]) / len(mine) >= PART

    def _find_merges(self) -> None:
        """Old steps that nothing is left of and that stand in a step which another one became."""
        became: dict[str, list[str]] = {}
        for old, new in self.pairs.items():
            became.setdefault(new, []).append(old)
        for one in list(self.missing.values()):
            into = None if one.view.gate else self._absorber(one.key, became)
            if into:
                self.pairs[one.key] = into
                del self.missing[one.key]

    def _absorber(self, old: str, became: dict[str, list[str]]) -> str:
        mine, proofs = self.words["old", old], self.proofs["old", old]
        for new, olds in became.items():
            its, told = self.words["new", new], set[str]().union(*(self.words["old", key] for key in olds))
            if self.parts.keys() & set(olds) or (its == told and not proofs & self.proofs["new", new]):
                continue
            fresh = _shared(mine - told, its)
            if proofs & self.proofs["new", new] or (fresh and _shared(mine, its) / len(mine) >= PART):
                return new
        return ""


def _title(one: Definition, *, near: bool) -> object:
    title = " ".join(one.title.casefold().split())
    return (title, one.view.gate, one.view.place[:3]) if near else (title, one.view.gate)


def _words(title: str) -> frozenset[str]:
    """The words that carry meaning; all of them when there are no others."""
    found = frozenset(words_of(title))
    return found - _STOP or found


def _alike(mine: frozenset[str], its: frozenset[str]) -> float:
    if mine == its:
        return 1.0
    if not mine or not its:
        return 0.0
    shared = 2 * _shared(mine, its) / (len(mine) + len(its))
    letters = SequenceMatcher(None, " ".join(sorted(mine)), " ".join(sorted(its)), autojunk=False)
    slip = letters.quick_ratio() >= SLIP and (ratio := letters.ratio()) >= SLIP
    return min(max(shared, ratio if slip else 0.0), 0.99)


def _shared(mine: Iterable[str], its: frozenset[str]) -> int:
    """How many words stand in the other title too, as they are or as the beginning of one another."""
    shared = 0
    for word in mine:
        shared += word in its or any(_stem(word, other) for other in its)
    return shared


def _stem(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= _STEM and long.startswith(short)


def _rare_criteria(steps: Sequence[Definition]) -> dict[str, frozenset[str]]:
    """By key, the criteria that no other step of the version has; what every step asks for says nothing."""
    own = {step.key: frozenset(filter(_is_criterion, step.facts)) for step in steps}
    times = Counter(fact for facts in own.values() for fact in facts)
    once = frozenset(fact for fact, count in times.items() if count == 1)
    return {key: facts & once for key, facts in own.items()}


def _is_criterion(fact: str) -> bool:
    return fact.startswith(("exit: ", "done: "))
