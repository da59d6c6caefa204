"""Search: what says some words, and where (FR-012)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from orchestrator.contract.values import NO_NUL, Name, Page
from orchestrator.core.terms import SearchKind, TimeWindow


class SearchQuery(Page):
    """`q` are the words, all of which are said, each as the beginning of a word. The others narrow:
    `workstream` is its slug, `domain` is `-` for what has none, `window` the time of the last change."""

    q: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
    kind: SearchKind | None = None
    workstream: Name = ""
    domain: Name = ""
    state: Name = ""
    window: TimeWindow | None = None


@dataclass(frozen=True)
class FoundPlace:
    """A text that says the words: what it is called, and the part around them."""

    name: str
    text: str


@dataclass(frozen=True)
class FoundItem:
    """A thing that says the words, with the address of its page. `key` is the step, if it is about one;
    `line` the line of a plan."""

    kind: SearchKind
    title: str
    address: str
    state: str
    at: datetime
    domain: str
    workstream: str
    uuid: UUID | None
    key: str
    line: int
    places: list[FoundPlace]


@dataclass(frozen=True)
class FoundList:
    """A page of what was found; `counts` has all of each kind."""

    total: int
    counts: dict[str, int]
    items: list[FoundItem]
