"""Whether two owned file patterns can claim the same file (BX-5).

A pattern owns what it matches and everything below what it matches, so `services/auth` and `services/auth/*` both own
`services/auth/api/views.py`. `*` and `?` stay inside one path segment, `**` spans any number of them. Where a pattern
cannot be compared exactly (character classes, braces, very long patterns) the answer is yes: work is then serialised,
which is slower but safe.
"""

import re
from functools import lru_cache
from typing import Final

#: Patterns longer than this are not compared; they overlap with everything.
LONGEST_PATTERN: Final = 1024
_ANY: Final = "**"
_BRACKETS: Final = re.compile(r"[\[{].*", re.DOTALL)


@lru_cache(maxsize=65536)
def globs_overlap(a: str, b: str) -> bool:
    """Whether some file can be owned by both patterns; symmetric, and yes when in doubt."""
    if max(len(a), len(b)) > LONGEST_PATTERN:
        return True
    return _paths_meet((*_segments(a), _ANY), (*_segments(b), _ANY))


def literal_start(pattern: str) -> tuple[str, ...]:
    """The segments before the first wildcard: of two patterns that overlap, one starts with the other's."""
    segments = _segments(pattern)
    wild = (n for n, segment in enumerate(segments) if "*" in segment or "?" in segment)
    return tuple(segments[: next(wild, len(segments))])


def _segments(pattern: str) -> list[str]:
    """The segments of a pattern; a bracket or brace makes the rest of it match anything."""
    exact = _BRACKETS.sub("*/**", pattern)
    return [segment for segment in exact.split("/") if segment not in ("", ".")]


def _paths_meet(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether some path matches both lists of segments: position by position, `**` may take none or one more."""
    reachable = {0}
    for position in range(len(a) + 1):
        reachable = _close_over(reachable, b) if position == len(a) or a[position] != _ANY else _spread(reachable, b)
        if position == len(a):
            return len(b) in reachable
        reachable = _advance(a[position], reachable, b)
    return False


def _close_over(reachable: set[int], b: tuple[str, ...]) -> set[int]:
    """Add what is reached when a `**` of the other side takes no segment."""
    closed = set(reachable)
    for position in range(len(b)):
        if position in closed and b[position] == _ANY:
            closed.add(position + 1)
    return closed


def _spread(reachable: set[int], b: tuple[str, ...]) -> set[int]:
    """Our `**` may take any number of the other side's segments."""
    return set(range(min(reachable), len(b) + 1)) if reachable else reachable


def _advance(segment: str, reachable: set[int], b: tuple[str, ...]) -> set[int]:
    if segment == _ANY:
        return reachable
    moved = {place for place in reachable if place < len(b) and b[place] == _ANY}
    moved |= {
        place + 1 for place in reachable if place < len(b) and b[place] != _ANY and _names_meet(segment, b[place])
    }
    return moved


@lru_cache(maxsize=65536)
def _names_meet(a: str, b: str) -> bool:
    """Whether some name matches both segments, `*` being any text and `?` any character."""
    if not set("*?") & set(a + b):
        return a == b
    reachable = _skip_stars({0}, b)
    for char in a:
        if char == "*":
            reachable = set(range(min(reachable), len(b) + 1)) if reachable else reachable
            continue
        moved = {place for place in reachable if place < len(b) and b[place] == "*"}
        moved |= {place + 1 for place in reachable if place < len(b) and _chars_meet(char, b[place])}
        reachable = _skip_stars(moved, b)
    return len(b) in reachable


def _skip_stars(reachable: set[int], b: str) -> set[int]:
    closed = set(reachable)
    for place, char in enumerate(b):
        if char == "*" and place in closed:
            closed.add(place + 1)
    return closed


def _chars_meet(a: str, b: str) -> bool:
    return b != "*" and (a == b or a == "?" or b == "?")
