"""Whether two owned file patterns can claim the same file (BX-5).

A pattern owns what it matches and everything below what it matches, so `services/auth` and `services/auth/*`
both own `services/auth/api/views.py`. `*` and `?` stay inside one path segment, `**` spans any number of
them. Where a pattern cannot be compared exactly (character classes, braces, very long patterns) the answer is
yes: work is then serialised, which is slower but safe. What is held is found again by name and by the literal
start of a pattern, so the cost follows what is near, not everything that is held; `globs_overlap` stays the
judge.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

#: Patterns longer than this are not compared; they overlap with everything.
LONGEST_PATTERN: Final = 1024
_ANY: Final = "**"
_BRACKETS: Final = re.compile(r"[\[{].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a task holds while it is launched or running.

    `lane_files` do not contend inside their own thread, `files` with everything (BX-5).
    """

    lane: str = ""
    lane_files: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lane_files or self.files or self.resources)

    def conflict_with(self, other: "Claims") -> str:
        """The name of what both want, or the empty string."""
        for resource in self.resources:
            if resource in other.resources:
                return resource
        mine, theirs = self.files, other.files
        if self.lane != other.lane:
            mine, theirs = mine + self.lane_files, theirs + other.lane_files
        return next((a for a in mine for b in theirs if globs_overlap(a, b)), "")


def own_files(files: tuple[str, ...], lane_files: tuple[str, ...], *, parallel: bool) -> tuple[str, ...]:
    """What a step holds for itself: its own files, or else, where others of its thread may run beside it,
    those of the thread. Two executors never get the same files (BX-5).
    """
    return files or (lane_files if parallel else ())


class Conflict(NamedTuple):
    """`number` says which of the holders, counted from 0 in the order they were added.

    `wanted` what both want.
    """

    number: int
    wanted: str


class Held:
    """What holders hold, in the order they were added."""

    def __init__(self) -> None:
        self._claims: list[Claims] = []
        self._names: dict[str, int] = {}
        self._files = _Starts()
        #: Threads with equal files are all the same to others: the first of them is enough.
        self._lanes: set[tuple[str, tuple[str, ...]]] = set()
        self._lane_files = _Starts()

    def add(self, claims: Claims) -> None:
        number = len(self._claims)
        self._claims.append(claims)
        for name in claims.resources:
            self._names.setdefault(name, number)
        for pattern in claims.files:
            self._files.add(pattern, claims.lane, number)
        lane = (claims.lane, claims.lane_files)
        if claims.lane_files and lane not in self._lanes:
            self._lanes.add(lane)
            for pattern in claims.lane_files:
                self._lane_files.add(pattern, claims.lane, number)

    def first_conflict(self, claims: Claims) -> Conflict | None:
        """The first holder that `claims` contend with."""
        if not self._claims:
            return None
        for number in sorted(set(self._near(claims))):
            if wanted := claims.conflict_with(self._claims[number]):
                return Conflict(number, wanted)
        return None

    def conflicts(self, claims: Claims) -> Iterator[int]:
        """Every holder that `claims` may contend with; each thread once."""
        return (n for n in set(self._near(claims)) if claims.conflict_with(self._claims[n]))

    def _near(self, claims: Claims) -> Iterator[int]:
        yield from (self._names[name] for name in claims.resources if name in self._names)
        for pattern in claims.files:
            yield from self._files.near(pattern)
            yield from self._lane_files.near(pattern, beside=claims.lane)
        for pattern in claims.lane_files:
            yield from self._files.near(pattern, beside=claims.lane)
            yield from self._lane_files.near(pattern, beside=claims.lane)


class _Starts:
    """Patterns by their literal start and thread: of two that overlap, one start begins with the other."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, ...], dict[str, list[int]]] = {}
        self._below: dict[tuple[str, ...], dict[str, list[int]]] = {}

    def add(self, pattern: str, lane: str, number: int) -> None:
        start = _start(pattern)
        self._at.setdefault(start, {}).setdefault(lane, []).append(number)
        for size in range(len(start)):
            self._below.setdefault(start[:size], {}).setdefault(lane, []).append(number)

    def near(self, pattern: str, beside: str | None = None) -> Iterator[int]:
        """Who holds a pattern that may overlap; without those of the thread `beside`."""
        start = _start(pattern)
        found = [self._at.get(start[:size], {}) for size in range(len(start) + 1)]
        for by_lane in [*found, self._below.get(start, {})]:
            for lane, numbers in by_lane.items():
                if lane != beside:
                    yield from numbers


def _start(pattern: str) -> tuple[str, ...]:
    return literal_start(pattern) if len(pattern) <= LONGEST_PATTERN else ()


@lru_cache(maxsize=65536)
def globs_overlap(a: str, b: str) -> bool:
    """Whether some file can be owned by both patterns; symmetric, and yes when in doubt."""
    if max(len(a), len(b)) > LONGEST_PATTERN:
        return True
    return _paths_meet((*_segments(a), _ANY), (*_segments(b), _ANY))


@lru_cache(maxsize=65536)
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
    """Whether some path matches both lists of segments.

    Position by position, `**` may take none or one more.
    """
    reachable = {0}
    for position in range(len(a) + 1):
        reachable = (
            _close_over(reachable, b) if position == len(a) or a[position] != _ANY else _spread(reachable, b)
        )
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
        place + 1
        for place in reachable
        if place < len(b) and b[place] != _ANY and _names_meet(segment, b[place])
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
