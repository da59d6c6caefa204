"""Handoff artifacts and the output files beside them (FR-014, AS-7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.contract.values import Body, Text
from orchestrator.core.terms import ArtifactState, EventType


class ArtifactRecovery(Body):
    """A way out of a damaged artifact (EC-3); `withdraw` needs a reason."""

    way: Literal["retry", "republish", "restore", "withdraw"]
    reason: Text = ""


@dataclass(frozen=True)
class OutputFacts:
    """A file in the workspace; `path` is relative to its root."""

    id: int
    path: str
    sha256: str


@dataclass(frozen=True)
class ArtifactFacts:
    """A record of what an attempt handed over, with its files.

    `problem` says what is wrong with the file while it is damaged; `commit` is empty until it is committed.
    """

    id: int
    sequence: int
    event: EventType
    step: str
    attempt: int
    path: str
    sha256: str
    state: ArtifactState
    problem: str
    commit: str
    created_at: datetime
    outputs: tuple[OutputFacts, ...]


@dataclass(frozen=True)
class ArtifactList:
    """A page of a workstream's artifacts by sequence; `count` is how many there are without the limit."""

    count: int
    items: tuple[ArtifactFacts, ...]
