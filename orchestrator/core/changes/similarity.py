"""How alike two titles are, and which files two plans both own: why work is suspected to be the same.

Requirements: FR-003, AS-5.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from orchestrator.core.engine.contention import globs_overlap

#: Titles at least this similar are put before the pre-handoff reviewer.
ALIKE: Final = 0.7
#: Patterns of one plan that are compared; more of them would only repeat the suspicion.
PATTERNS_COMPARED: Final = 200
_PATTERNS_SHOWN: Final = 3


def words_of(title: str) -> tuple[str, ...]:
    """The words of a title without accents, case, punctuation and order."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    return tuple(sorted(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c)))))


def likeness(one: str, other: str) -> float:
    """From 0 to 1, the same in both directions: the better of shared words and shared letters."""
    words, others = sorted((words_of(one), words_of(other)))
    if not words or not others:
        return 0.0
    shared = len(set(words) & set(others)) / len(set(words) | set(others))
    letters = SequenceMatcher(None, " ".join(words), " ".join(others), autojunk=False)
    return shared if letters.quick_ratio() <= shared else max(shared, letters.ratio())


def shared_patterns(mine: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """The patterns that can own the same file, as a person reads them; the first few pairs."""
    found = _overlaps(mine[:PATTERNS_COMPARED], theirs[:PATTERNS_COMPARED])
    return tuple(pair for pair, _ in zip(found, range(_PATTERNS_SHOWN), strict=False))


def _overlaps(mine: Sequence[str], theirs: Sequence[str]) -> Iterator[str]:
    for a in mine:
        for b in theirs:
            if globs_overlap(a, b):
                yield f"`{a}`" if a == b else f"`{a}` and `{b}`"


def reasons(likeness_of_titles: float, patterns: Sequence[str]) -> tuple[str, ...]:
    """Why another workstream is suspected, in words; empty when it is not."""
    found = []
    if likeness_of_titles >= ALIKE:
        found.append(f"title {round(likeness_of_titles * 100)} % alike")
    if patterns:
        found.append(f"both own {', '.join(patterns)}")
    return tuple(found)
