"""Workstreams: the list, one with its tasks, and what is done with it (FR-002, FR-010, LC-3, LC-9, LC-10,
AD-3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from orchestrator.contract.rework import ReworkCount
from orchestrator.contract.tasks import TaskFacts
from orchestrator.contract.values import Body, Commit, Key, Page, Slug, Text, Title, UsageFacts
from orchestrator.core.terms import IntegrationSource, Lifecycle, Signal, TimeWindow, WorkstreamStatus


class WorkstreamQuery(Page):
    """Which workstreams."""

    status: WorkstreamStatus | None = None
    domain: Slug = ""
    slug: Slug = ""


class StatusChange(Body):
    """`completed` accepts a finished workstream, `archived` archives it (LC-9, LC-10)."""

    status: Annotated[str, Field(max_length=40)]
    reason: Text = ""


class PriorityChange(Body):
    """A workstream with a higher number goes first."""

    priority: Annotated[StrictInt, Field(ge=-999_999, le=999_999)]
    reason: Text


class BudgetChange(Body):
    """What all steps may use together, such as `2,000,000 tokens, 20 USD, 3 h`, or `no budget`."""

    budget: Annotated[str, Field(max_length=200)]
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
    """The work became part of its base branch; `commit` is where it stands there. Where the repository is at
    hand, commit or note is needed."""

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
class OutlineThread:
    """A thread with the keys of its steps in order; `worktree` is what the plan calls its folder."""

    lane: str
    name: str
    worktree: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class OutlineBatch:
    """A batch with its threads, which run side by side."""

    prefix: str
    name: str
    threads: tuple[OutlineThread, ...]


@dataclass(frozen=True)
class OutlineStage:
    """A stage with its batches, which follow one another."""

    number: int
    name: str
    batches: tuple[OutlineBatch, ...]


@dataclass(frozen=True)
class WorkstreamFacts:
    """A workstream. `finished` is derived: there are tasks and none is open (LC-1). `completed` means
    accepted; nobody accepts one of which a version is `in_review` (its number, or null), for that may bring
    more work.

    `needs`, `needed_by` and `merged_into` are slugs of other workstreams (AD-3, FR-003), `bundle` is an id.

    `tasks` are there when one workstream is asked for: all of them in launch order, each explained; so are
    its `integrations`, newest first, what its attempts `used`, a sum for each currency, and the `outline` of
    the plan in effect.
    `budget` is what a person, or else the plan, lets them use; `over_budget` says what of it is used up, and
    holds the work. While the newest
    integration is in force, rework needs a revert decision (FR-010).
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
    budget: str
    over_budget: str
    tasks: tuple[TaskFacts, ...] | None = None
    integrations: tuple[IntegrationFacts, ...] | None = None
    used: tuple[UsageFacts, ...] | None = None
    outline: tuple[OutlineStage, ...] | None = None


@dataclass(frozen=True)
class WorkstreamList:
    """A page of workstreams; `count` is how many there are without the limit."""

    count: int
    items: tuple[WorkstreamFacts, ...]


class HistoryQuery(Page):
    """Which entries; everything narrows. `workstream` is a UUID, `text` is looked for in subject and
    reason."""

    workstream: UUID | None = None
    actor: Title = ""
    action: Title = ""
    text: Title = ""


@dataclass(frozen=True)
class HistoryFacts:
    """An entry of the history (FR-009). `actor` is who acted in words, `kind` what: empty for the
    orchestrator. `corrects` is the number of the entry that this one corrects."""

    sequence: int
    recorded_at: datetime
    actor: str
    account: str
    kind: str
    action: str
    subject: str
    reason: str
    workstream: str
    corrects: int | None
    leaf_hash: str
    previous_hash: str


@dataclass(frozen=True)
class HistoryPage:
    """Entries, newest first; `count` is how many there are without the limit."""

    count: int
    items: tuple[HistoryFacts, ...]


class PortfolioQuery(Page):
    """Which workstreams. Values of one kind widen, different kinds narrow (LC-4, LC-5)."""

    state: Annotated[list[Lifecycle], Field(max_length=10)] = []
    signal: Annotated[list[Signal], Field(max_length=10)] = []
    window: TimeWindow | None = None
    domain: Title = ""
    owner: Title = ""
    workflow: Title = ""
    text: Title = ""


@dataclass(frozen=True)
class PortfolioFacts:
    """A workstream in the portfolio: its lifecycle, what asks for attention, and why in a sentence."""

    uuid: UUID
    slug: str
    title: str
    state: Lifecycle
    signals: tuple[Signal, ...]
    why: str
    domain: str
    owner: str
    workflow: str
    version: int
    open_tasks: int
    done_tasks: int
    blocked_tasks: int
    updated_at: datetime


@dataclass(frozen=True)
class PortfolioPage:
    """What needs attention first; `count` is how many there are without the limit."""

    count: int
    items: tuple[PortfolioFacts, ...]
