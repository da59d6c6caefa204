"""The next step: what an executor may do now, or why there is nothing and what would free some (FR-027)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from orchestrator.contract.attempts import ClaimFacts
from orchestrator.contract.values import Body, Title
from orchestrator.core import limits


class NextRequest(Body):
    """Which work is wanted, and how many seconds to wait for some. `workstream` is a slug or a UUID."""

    wait: Annotated[int, Field(ge=0, le=limits.WAIT_SECONDS)] = 0
    workstream: Title = ""
    repository: Title = ""


@dataclass(frozen=True)
class WaitingWork:
    """Work that this executor cannot claim: why in a `sentence`, who can free it, and by what.

    Without a `key` it is a whole workstream.
    """

    workstream: str
    key: str
    sentence: str
    freed_by: tuple[str, ...]
    to_do: str
    address: str


@dataclass(frozen=True)
class NextFacts:
    """The claim, or why there is none. `again` says that the executor held it already: the token is the same.

    Without a claim `retry_after` says in how many seconds to ask again, and `waiting` what is in the way.
    """

    sentence: str
    claim: ClaimFacts | None
    again: bool
    retry_after: int
    waiting: tuple[WaitingWork, ...]


@dataclass(frozen=True)
class HeldTask:
    """An attempt that the executor holds. Its token, and in short what is asked; the brief has more."""

    attempt: int
    token: int
    task: int
    key: str
    title: str
    workstream: str
    since: datetime
    breadcrumb: str
    to_prove: tuple[str, ...]
    outputs_folder: str
    brief: str


@dataclass(frozen=True)
class HeldTasks:
    """What the executor holds; `count` is how many without the limit."""

    count: int
    items: tuple[HeldTask, ...]
