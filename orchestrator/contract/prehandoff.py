"""The pre-handoff review: suspected duplicates, decisions about them, the signature (FR-003, AS-5, EC-5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from orchestrator.contract.values import Body, Text
from orchestrator.core.terms import DuplicateOutcome, WorkstreamStatus


class DuplicateChoice(Body):
    """What becomes of a suspect: `other` is its UUID, or that of any other workstream."""

    other: UUID
    outcome: Annotated[str, Field(max_length=40)]
    rationale: Text = ""


class DuplicateChoices(Body):
    """What becomes of several suspects at once: link or override, with one rationale."""

    others: Annotated[list[UUID], Field(min_length=1, max_length=100)]
    outcome: Annotated[str, Field(max_length=40)]
    rationale: Text = ""


class PrehandoffSignature(Body):
    """Why the work may start."""

    rationale: Text = ""


@dataclass(frozen=True)
class DuplicateDecisionFacts:
    """What was decided about a suspected duplicate."""

    outcome: DuplicateOutcome
    rationale: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True)
class SuspectFacts:
    """Why another workstream is suspected to be a duplicate, and the decision; null while it is open."""

    uuid: UUID
    slug: str
    title: str
    status: WorkstreamStatus
    reasons: tuple[str, ...]
    decision: DuplicateDecisionFacts | None


@dataclass(frozen=True)
class PrehandoffFacts:
    """The review of a workstream; `signed_by` is empty before the signature, `rationale` is the signature's.

    `suspects` is a page of them, undecided ones first; `count` is how many there are without the limit,
    `undecided` how many of these nobody decided about. Decisions are taken while it is `decidable`: before
    any attempt is claimed.
    """

    count: int
    undecided: int
    suspects: tuple[SuspectFacts, ...]
    decidable: bool
    signed_by: str
    signed_at: datetime | None
    rationale: str
