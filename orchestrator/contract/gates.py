"""Gates: which ones wait, who has signed, who is still asked, what a rejection returns to (FR-006, WF-5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from orchestrator.contract.values import Body, Id, Key, Text
from orchestrator.core.terms import GateDecision, GateKind, TaskStatus


class GateSignature(Body):
    """`follow_ups` are tasks that come of it, one a line: `title | exit criterion`.

    `withdraw_seconds` leaves time to withdraw the last signature before anything behind the gate starts.
    `attempt_id` is the one of the gate that was read: what came in after it is not signed unread.
    """

    reason: Text = ""
    follow_ups: Text = ""
    attempt_id: Id | None = None
    withdraw_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = 0


class SignatureWithdrawal(Body):
    """Why somebody withdraws a signature or a rejection of theirs that has not taken effect."""

    reason: Text = ""


class GateRejection(Body):
    """`return_to` is the key of the step that work returns to; `attempt_id` and `withdraw_seconds` as in a
    signature: meanwhile nothing is thrown away."""

    reason: Text
    return_to: Key
    attempt_id: Id | None = None
    withdraw_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = 0


@dataclass(frozen=True)
class GateReviewFacts:
    """One signature or rejection; `follow_up_version` is the plan's version that its follow-ups became, 0 for
    none. `effective_at` is when a decision that was kept back takes effect, `withdrawn_at` when its person
    took it back."""

    attempt: int
    decision: GateDecision
    reviewer: str
    signed_as: str
    reason: str
    follow_ups: str
    follow_up_version: int
    return_to: str
    signed_at: datetime
    effective_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class GateFacts:
    """A gate; `task` is the id that approve and reject take.

    It needs `needed` signatures, and the people in `signed` gave theirs. `asked` are the roles or users that
    may still sign, none once it is decided; each of them has to when `each` is true. `attempt_id` is what
    waits to be signed, 0 while nothing does: give it back with the decision, so that nothing newer is
    decided unread.
    """

    task: int
    key: str
    title: str
    kind: GateKind
    meaning: str
    action: str
    workstream: UUID
    status: TaskStatus
    attempt_id: int
    needed: int
    signed: tuple[str, ...]
    asked: tuple[str, ...]
    each: bool
    reviews: tuple[GateReviewFacts, ...]


@dataclass(frozen=True)
class GateList:
    """A page of gates that wait, longest wait first; `count` is how many there are without the limit."""

    count: int
    items: tuple[GateFacts, ...]


@dataclass(frozen=True)
class ProblemFacts:
    """What went wrong at a step: `kind` in a word, `text` in people's words; `criteria` is what it has to
    prove."""

    key: str
    title: str
    kind: str
    text: str
    criteria: tuple[str, ...]


@dataclass(frozen=True)
class FixDraft:
    """What a fix stage behind a gate starts from. `tasks` can be submitted as it is.

    `slug` is the folder that the stage would have.
    """

    gate: str
    name: str
    slug: str
    reason: str
    tasks: str
    problems: tuple[ProblemFacts, ...]
