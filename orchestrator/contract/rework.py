"""Work that went back: why, how often, and what has to be proved again (FR-021)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.terms import CriterionKind


@dataclass(frozen=True)
class ToProve:
    """A criterion of an open task. One that was proved before (`attempt`, `evidence`) has to be proved
    again."""

    id: int
    key: str
    kind: CriterionKind
    text: str
    attempt: int | None
    evidence: str


@dataclass(frozen=True)
class Returned:
    """A decision after which the step is, or may be, done again.

    When work was sent back, `to` is the step that it returned to (this one or one before it) and `gate` the
    gate that was rejected, if one was.
    """

    at: datetime
    by: str
    what: str
    reason: str
    to: str
    gate: str


@dataclass(frozen=True)
class Rework:
    """Why a task is done again: work went back to `to` (itself or a step before it).

    `times` counts its own results that were thrown away. What has no `attempt` among `criteria` was not
    proved before.
    """

    to: str
    reason: str
    by: str
    at: datetime
    times: int
    criteria: tuple[ToProve, ...]


@dataclass(frozen=True)
class ReworkCount:
    """`sent_back` counts the acts, `steps_redone` the completed results that they threw away."""

    sent_back: int
    steps_redone: int
