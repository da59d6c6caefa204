"""Which executor works in a thread of a plan (WF-4)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.contract.values import Body, Name, Text


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
