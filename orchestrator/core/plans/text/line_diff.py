"""Two texts compared line by line, in time that follows their length (WF-3, FR-022).

Equal starts and ends are cut off, then lines that stand once in both texts are the fixed points between which
the rest is compared. A stretch without such lines that is too large to compare in detail counts as replaced.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Final

#: Old times new lines of a stretch that is still compared line by line.
DETAILED: Final = 250_000
#: Characters of a line in which changed words are marked, and how alike two lines must be for that.
LONGEST: Final = 1_000
ALIKE: Final = 0.4
_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`kind` is `ins`, `dele` or empty; `number` counts from 1 in the line's own text, `at` in the new one:
    where the line stands, or what stands behind a removed one. `pieces` are (text, changed) when words of the
    line changed."""

    kind: str
    number: int
    text: str
    at: int
    pieces: tuple[tuple[str, bool], ...] = ()

    @property
    def mark(self) -> str:
        return {"ins": "+", "dele": "−"}.get(self.kind, "")


def unchanged(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of 0-based positions of lines that both texts have, both ascending."""
    pairs: list[tuple[int, int]] = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        a, b, c, d = waiting.pop()
        while a < b and c < d and old[a] == new[c]:
            pairs.append((a, c))
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
            pairs.append((b, d))
        if a == b or c == d:
            continue
        if fixed := _fixed_points(old, new, a, b, c, d):
            edges = [(a, c), *((i + 1, j + 1) for i, j in fixed)]
            ends = [*fixed, (b, d)]
            pairs += fixed
            waiting += [(i, k, j, m) for (i, j), (k, m) in zip(edges, ends, strict=True) if i < k and j < m]
        elif (b - a) * (d - c) <= DETAILED:
            blocks = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False).get_matching_blocks()
            pairs += [(a + block.a + n, c + block.b + n) for block in blocks for n in range(block.size)]
    return sorted(pairs)


def _fixed_points(
    old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int
) -> list[tuple[int, int]]:
    """Lines that stand exactly once in both stretches, as many as are in the same order in both."""
    in_old, in_new = Counter(old[a:b]), Counter(new[c:d])
    place = {new[j]: j for j in range(c, d) if in_new[new[j]] == 1}
    pairs = [(i, place[old[i]]) for i in range(a, b) if in_old[old[i]] == 1 and old[i] in place]
    return _longest_ascent(pairs)


def _longest_ascent(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs whose second numbers ascend; the first ones do already."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for n, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        before.append(ends[at - 1] if at else -1)
        if at == len(tails):
            tails.append(j)
            ends.append(n)
        else:
            tails[at], ends[at] = j, n
    found = []
    n = ends[-1] if ends else -1
    while n >= 0:
        found.append(pairs[n])
        n = before[n]
    return found[::-1]


def diff(old: Sequence[str], new: Sequence[str]) -> tuple[DiffLine, ...]:
    """Every line of both texts in reading order, removed ones before what replaced them."""
    return tuple(_diff(old, new))


def _diff(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffLine]:
    i = j = 0
    for a, c in [*unchanged(old, new), (len(old), len(new))]:
        removed = [DiffLine("dele", n + 1, old[n], j + 1) for n in range(i, a)]
        added = [DiffLine("ins", n + 1, new[n], n + 1) for n in range(j, c)]
        yield from _marked(removed, added)
        if a < len(old) and c < len(new):
            yield DiffLine("", c + 1, new[c], c + 1)
        i, j = a + 1, c + 1


def _marked(removed: list[DiffLine], added: list[DiffLine]) -> Iterator[DiffLine]:
    """Lines that replaced one another are paired in order and their changed words marked."""
    paired = [_words(one, other) for one, other in zip_longest(removed, added)]
    yield from (one for one, _ in paired if one)
    yield from (other for _, other in paired if other)


def _words(one: DiffLine | None, other: DiffLine | None) -> tuple[DiffLine | None, DiffLine | None]:
    if one is None or other is None or max(len(one.text), len(other.text)) > LONGEST:
        return one, other
    old, new = _WORDS.findall(one.text), _WORDS.findall(other.text)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < ALIKE:
        return one, other
    steps = matcher.get_opcodes()
    before = tuple(("".join(old[a:b]), tag != "equal") for tag, a, b, _, _ in steps if a < b)
    after = tuple(("".join(new[c:d]), tag != "equal") for tag, _, _, c, d in steps if c < d)
    return replace(one, pieces=before), replace(other, pieces=after)
