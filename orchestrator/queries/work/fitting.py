"""Answers that fit the context of an agent, whatever is in them (WF-9, FR-027).

Texts that people wrote are cut, lists keep their first or newest entries, and what is left out is told. What
names something, such as a path, a key or a criterion's id, is never cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, NamedTuple, TypeVar

import pydantic_core

from orchestrator.contract.briefs import Shortened

#: Bytes of JSON: 2,000 tokens of four characters.
BRIEF_BYTES: Final = 8_000
#: Texts that may be cut: somebody wrote them for reading.
WORDS: Final = frozenset(
    {"details", "breadcrumb", "intervention_note", "note", "answer", "error", "outcome", "text", "reason"}
    | {"went_wrong", "worked", "tighten", "sentence", "evidence", "title", "problem", "summary", "choices"}
    | {"state", "condition", "markdown", "what", "held"}
)
#: Lists that are told by time, whose last entries count most.
NEWEST: Final = frozenset({"earlier_attempts", "interventions", "breadcrumbs", "returned", "learnings"})
#: Lists that are needed whole as long as that goes.
PROOFS: Final = frozenset({"criteria", "to_prove"})

Answer = TypeVar("Answer")


class _Level(NamedTuple):
    characters: int
    items: int
    proofs: int


_LEVELS: Final = (
    _Level(10**9, 10**9, 10**9),
    _Level(4_000, 100, 200),
    _Level(2_000, 50, 100),
    _Level(1_000, 20, 60),
    _Level(600, 10, 40),
    _Level(300, 6, 30),
    _Level(160, 4, 20),
    _Level(100, 3, 15),
    _Level(80, 2, 10),
    _Level(60, 1, 6),
    _Level(40, 0, 3),
)


@dataclass(slots=True)
class _Cut:
    """One try; `told` has by place what was shown of how much."""

    level: _Level
    told: dict[str, tuple[int, int]]

    def of(self, value: Any, name: str, place: str) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            inner = {one.name: getattr(value, one.name) for one in fields(value)}
            return replace(
                value, **{key: self.of(part, key, f"{place}.{key}") for key, part in inner.items()}
            )
        if isinstance(value, tuple):
            return tuple(self.of(one, name, place) for one in self._kept(value, name, place))
        if isinstance(value, str) and name in WORDS and type(value) is str:
            return self._words(value, name, place)
        return value

    def _kept(self, value: tuple[Any, ...], name: str, place: str) -> tuple[Any, ...]:
        most = self.level.proofs if name in PROOFS else self.level.items
        if len(value) <= most:
            return value
        shown, of = self.told.get(place, (0, 0))
        self.told[place] = (shown + most, of + len(value))
        return value[len(value) - most :] if name in NEWEST else value[:most]

    def _words(self, text: str, name: str, place: str) -> str:
        most = self.level.characters
        if len(text) <= most:
            return text
        if name == "details":
            self.told[place] = (most, len(text))
        return f"{text[:most]}… ({len(text) - most} more characters)"


def fitted(answer: Answer, most: int = BRIEF_BYTES) -> tuple[Answer, tuple[Shortened, ...]]:
    """The answer, cut no more than it needs to fit into so many bytes of JSON, and what is left out of it."""
    shown, told = answer, dict[str, tuple[int, int]]()
    for level in _LEVELS:
        cut = _Cut(level, {})
        shown, told = cut.of(answer, "", ""), cut.told
        if len(pydantic_core.to_json(shown)) + 90 * len(told) <= most:
            break
    return shown, tuple(_left_out(told))


def _left_out(told: dict[str, tuple[int, int]]) -> Iterator[Shortened]:
    for place, (shown, of) in told.items():
        yield Shortened(place.lstrip("."), shown, of)
