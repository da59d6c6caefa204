"""Why work is not moving: the chain to the root, who can free it, and what waits behind it (FR-015)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.terms import ExecutorKind, RootKind


@dataclass(frozen=True)
class WaitingLink:
    """A station of the chain: a task of the workstream with this slug, or without a key the workstream.

    `reason` and `sentence` are the scheduler's, `since` is when they came to be so. A workstream that nothing
    holds as a whole has no reason.
    """

    workstream: str
    key: str
    title: str
    reason: str
    sentence: str
    since: datetime | None
    address: str


@dataclass(frozen=True)
class PossibleClaimer:
    """An executor that could claim an unclaimed task; `busy_with` is the task that it runs, empty when it is
    free."""

    executor: str
    kind: ExecutorKind
    account: str
    busy_with: str


@dataclass(frozen=True)
class WaitingRoot:
    """Where the chain ends. `stands` says in words how it stands, `to_do` what frees it, at `address`.

    `freed_by` are roles or names of whom the act is expected, `people` the accounts that have them, when they
    are few. `could_claim` is there for an unclaimed task: the free ones first, of `claimers` in all.
    `last_word` is the breadcrumb of a running one. `behind` tasks of its workstream wait behind it, by need,
    by thread, by batch or for what it holds: `behind_first` are the first of them in launch order
    (none before a plan is in force: then its planned steps wait);
    `workstreams_behind` need the whole workstream.
    """

    kind: RootKind
    workstream: str
    key: str
    title: str
    stands: str
    since: datetime | None
    freed_by: tuple[str, ...]
    people: tuple[str, ...]
    could_claim: tuple[PossibleClaimer, ...]
    claimers: int
    to_do: str
    address: str
    last_word: str
    behind: int
    behind_first: tuple[str, ...]
    workstreams_behind: tuple[str, ...]


@dataclass(frozen=True)
class AlsoInTheWay:
    """Another task that needs somebody before what was asked about can go on."""

    kind: RootKind
    key: str
    title: str
    sentence: str
    address: str


@dataclass(frozen=True)
class WhyFacts:
    """The whole chain as one `sentence`, then as `links` from what was asked about to the root.

    Of a long chain the middle is left out; `left_out` says how many links that are. `also` are the most
    urgent of the other tasks of the workstream that need somebody first.
    """

    workstream: str
    key: str
    sentence: str
    links: tuple[WaitingLink, ...]
    left_out: int
    root: WaitingRoot
    also: tuple[AlsoInTheWay, ...]
