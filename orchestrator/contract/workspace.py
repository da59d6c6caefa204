"""The workspace's branch and whether the database knows it (F22 to F24); files that executors committed
themselves, and what became of them (FR-029)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.contract.values import Body, Page, Slug, Text
from orchestrator.core.terms import ResultFileState, Settlement


class SettlementChoice(Body):
    """What becomes of a branch that the database does not know."""

    way: Settlement
    reason: Text = ""


@dataclass(frozen=True)
class CommitFacts:
    """A commit in one line; `at` is git's own text of its time."""

    name: str
    at: str
    subject: str


@dataclass(frozen=True)
class WorkspaceFacts:
    """How branch and database stand to each other: the commit that is `known` here, and the branch's `head`.

    The other members are empty while they agree. `ways` are what an approver may decide; `commits` are those
    that the database does not know, newest first.
    """

    agrees: bool
    known: str
    head: str
    kind: str
    said: str
    since: datetime | None
    ways: tuple[Settlement, ...]
    commits: tuple[CommitFacts, ...]


@dataclass(frozen=True)
class InconsistencyFacts:
    """One finding, with its `code` and what fixing does about it. `place` is the repository that it is in; ""
    is the workspace. `severity` is error or warning."""

    code: str
    title: str
    severity: str
    subject: str
    detail: str
    place: str
    fix: str


@dataclass(frozen=True)
class FixFacts:
    """What was done about one finding: where the thing that was replaced is kept now ("" when nothing stood
    there), or why it could not be fixed (`problem`)."""

    code: str
    subject: str
    place: str
    kept: str
    problem: str


@dataclass(frozen=True)
class ConsistencyFacts:
    """`consistent` says that nothing but warnings was found; `unread` names what could not be looked at;
    `fixes` what was done before this look, if anything was."""

    consistent: bool
    errors: int
    warnings: int
    findings: tuple[InconsistencyFacts, ...]
    unread: tuple[str, ...]
    fixes: tuple[FixFacts, ...] = ()


class CollectedQuery(Page):
    """Which files. `state` is ingested or quarantined; `executor` is the name of the producer."""

    state: ResultFileState | None = None
    executor: Slug = ""


@dataclass(frozen=True)
class CollectedFacts:
    """A file. `problem` says why it was quarantined; `attempt` is the id of the attempt it is about, if
    known."""

    id: int
    executor: str
    path: str
    commit: str
    sha256: str
    state: ResultFileState
    problem: str
    attempt: int | None
    seen_at: datetime


@dataclass(frozen=True)
class CollectedList:
    """A page of files, newest first; `count` is how many there are without the limit."""

    count: int
    items: tuple[CollectedFacts, ...]
