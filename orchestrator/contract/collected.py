"""Files that executors committed themselves, and what became of them (FR-029)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.contract.values import Page, Slug
from orchestrator.core.terms import ResultFileState


class CollectedQuery(Page):
    """Which files. `state` is ingested or quarantined; `executor` is the name of the producer."""

    state: ResultFileState | None = None
    executor: Slug = ""


@dataclass(frozen=True)
class CollectedFacts:
    """A file. `problem` says why it was quarantined; `attempt` is the id of the attempt it is about, if
    known."""

    id: int
    executor: str
    path: str
    commit: str
    sha256: str
    state: ResultFileState
    problem: str
    attempt: int | None
    seen_at: datetime


@dataclass(frozen=True)
class CollectedList:
    """A page of files, newest first; `count` is how many there are without the limit."""

    count: int
    items: tuple[CollectedFacts, ...]
