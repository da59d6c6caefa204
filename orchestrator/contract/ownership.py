"""Who answers for a workstream, a task or a blocker, and how that passed on (FR-011); which executor works in
a thread of a plan (WF-4)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.contract.values import Body, Name, Text


class OwnerChange(Body):
    """`to` is the user name of the new owner."""

    to: Name
    reason: Text = ""


@dataclass(frozen=True)
class TransferFacts:
    """One time that ownership passed on; `from_owner` is empty when there was none."""

    from_owner: str
    to_owner: str
    reason: str
    transferred_by: str
    transferred_at: datetime


@dataclass(frozen=True)
class OwnershipFacts:
    """`role` is the responsible role that the plan names; `owner` the person, empty while there is none.

    `transfers` are newest first.
    """

    role: str
    owner: str
    transfers: tuple[TransferFacts, ...]


class ThreadChoice(Body):
    """`mode` is assigned (the executor alone claims there) or preferred (it is offered the work first)."""

    executor: Name
    mode: Name = "assigned"
    reason: Text = ""


@dataclass(frozen=True)
class ThreadFacts:
    """A thread in which executors have work left.

    `executor` is empty while anybody may claim there; `mode` says whether it claims alone or first, `account`
    and `kind` whose and what it is.
    """

    id: int
    stage: str
    batch: str
    thread: str
    executor: str
    account: str
    kind: str
    mode: str
    reason: str
    assigned_by: str
    assigned_at: datetime | None
