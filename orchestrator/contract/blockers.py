"""Blockers: what keeps a task from going on, who sees to it, and what waits behind it (FR-012)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from orchestrator.contract.values import Body, Name, Page, Text
from orchestrator.core.terms import BlockerKind


class BlockerQuery(Page):
    """Which blockers. `owner` is a user name, `workstream` a UUID."""

    state: Literal["open", "resolved", "all"] = "open"
    owner: Name = ""
    kind: BlockerKind | None = None
    workstream: UUID | None = None


class NewBlocker(Body):
    """What is in the way: `kind` is external, decision, resource, defect or other.

    `owner` is the user name of whoever sees to it; without one it is the account that declares the blocker.
    """

    kind: Name
    note: Text
    owner: Name = ""


class BlockerResolution(Body):
    """What resolved a blocker."""

    resolution: Text


@dataclass(frozen=True)
class ImpactFacts:
    """What waits behind an open blocker.

    `delayed` are the keys of open tasks in launch order, `estimated_minutes` their estimates together (0:
    none given).
    """

    delayed: tuple[str, ...]
    estimated_minutes: int
    on_critical_path: bool


@dataclass(frozen=True)
class BlockerFacts:
    """A blocker. `seconds` is how long it has stood, or stood until it was resolved; `impact` is null
    then."""

    id: int
    task: int
    key: str
    workstream: UUID
    workstream_slug: str
    kind: BlockerKind
    note: str
    owner: str
    declared_by: str
    declared_at: datetime
    resolved_by: str
    resolved_at: datetime | None
    resolution: str
    seconds: int
    impact: ImpactFacts | None


@dataclass(frozen=True)
class BlockerList:
    """A page of blockers; `count` is how many match without the limit.

    `blocked_seconds` is how long at least one of those that match stood; overlaps count once.
    """

    count: int
    blocked_seconds: int
    items: tuple[BlockerFacts, ...]
