"""Workstreams: the list, one with its tasks, and what is done with it (FR-002, FR-010, LC-3, LC-9, LC-10,
AD-3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from orchestrator.contract.rework import ReworkCount
from orchestrator.contract.tasks import TaskFacts
from orchestrator.contract.values import Body, Commit, Key, Page, Slug, Text
from orchestrator.core.terms import IntegrationSource, WorkstreamStatus


class WorkstreamQuery(Page):
    """Which workstreams."""

    status: WorkstreamStatus | None = None
    domain: Slug = ""


class StatusChange(Body):
    """`completed` accepts a finished workstream, `archived` archives it (LC-9, LC-10)."""

    status: Annotated[str, Field(max_length=40)]
    reason: Text = ""


class PriorityChange(Body):
    """A workstream with a higher number goes first."""

    priority: Annotated[StrictInt, Field(ge=-999_999, le=999_999)]
    reason: Text


class StageText(Body):
    """One more stage: a fix stage behind a gate, or tasks for gaps (WF-5, LC-3).

    `tasks` has one task a line, `title | exit criterion`, below lines `# Batch: name` and `# Thread: name`
    where there are several. `gate` names the evaluation that a fix stage follows; `sign_gate` signs it when
    the stage takes effect.
    """

    name: Annotated[str, Field(max_length=200)]
    tasks: Text
    reason: Text
    gate: Key = ""
    sign_gate: StrictBool = False


class IntegrationNote(Body):
    """The work became part of its base branch; `commit` is where it stands there."""

    commit: Commit = ""
    note: Text = ""


class RevertNote(Body):
    """Integrated work is reverted; `commit` reverts the merge, and is empty when the base branch was
    reset."""

    reason: Text
    commit: Commit = ""


@dataclass(frozen=True)
class IntegrationFacts:
    """One integration. `checked` says what git was asked, and what it said.

    The members about its revert are empty while it is in force.
    """

    commit: str
    source: IntegrationSource
    note: str
    integrated_by: str
    integrated_at: datetime
    checked: str
    reverted_by: str
    reverted_at: datetime | None
    revert_reason: str
    revert_commit: str
    revert_checked: str

    @property
    def in_force(self) -> bool:
        return self.reverted_at is None


@dataclass(frozen=True)
class WorkstreamFacts:
    """A workstream. `finished` is derived: there are tasks and none is open (LC-1). `completed` means
    accepted; nobody accepts one of which a version is `in_review` (its number, or null), for that may bring
    more work.

    `needs`, `needed_by` and `merged_into` are slugs of other workstreams (AD-3, FR-003), `bundle` is an id.

    `tasks` are there when one workstream is asked for: all of them in launch order, each explained; so are
    its `integrations`, newest first. While the newest is in force, rework needs a revert decision (FR-010).
    """

    uuid: UUID
    slug: str
    title: str
    status: WorkstreamStatus
    finished: bool
    in_review: int | None
    domain: str
    owner: str
    priority: int
    version: int
    open_tasks: int
    done_tasks: int
    blocked_tasks: int
    created_at: datetime
    updated_at: datetime
    accepted_at: datetime | None
    needs: tuple[str, ...]
    needed_by: tuple[str, ...]
    merged_into: str
    bundle: int | None
    rework: ReworkCount
    tasks: tuple[TaskFacts, ...] | None = None
    integrations: tuple[IntegrationFacts, ...] | None = None


@dataclass(frozen=True)
class WorkstreamList:
    """A page of workstreams; `count` is how many there are without the limit."""

    count: int
    items: tuple[WorkstreamFacts, ...]
