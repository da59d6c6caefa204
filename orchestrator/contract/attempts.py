"""Attempts: the next one, claim, report, complete, fail; after the claim every call carries its fencing token
(FR-027)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from orchestrator.contract.briefs import Brief, CriterionFacts, VerificationFacts
from orchestrator.contract.values import Body, Commit, Id, Text, Title, UsageFacts, UsageGiven
from orchestrator.core import limits
from orchestrator.core.terms import AttemptStatus


class Encoded(Body):
    """Contents that are not text."""

    base64: str


class Breadcrumb(Body):
    """What was done last, for whoever continues; `usage` is what it took since the word before."""

    token: Id
    breadcrumb: Text
    usage: UsageGiven | None = None


class Completion(Body):
    """How an attempt ended well: `outcome` in a sentence, which a step without exit criteria asks for, and
    `evidence` by criterion id for every criterion that the brief says is asked.

    `outputs` maps relative file names to text, or to `{"base64": "..."}`. `result` is one of the words that
    the step declares as its outcomes; it is asked for where the step declares any. `wait` are the seconds to
    wait for the result where a command proves the step.
    """

    token: Id
    outcome: Text = ""
    evidence: Annotated[dict[int, Text], Field(max_length=limits.EVIDENCE_TEXTS)] = {}
    outputs: Annotated[dict[str, str | Encoded], Field(max_length=limits.OUTPUT_FILES)] = {}
    commit: Commit = ""
    result: Annotated[str, Field(max_length=60)] = ""
    wait: Annotated[int, Field(ge=0, le=limits.WAIT_SECONDS)] = 0
    usage: UsageGiven | None = None


class VerificationQuery(Body):
    """How many seconds to wait for the result."""

    wait: Annotated[int, Field(ge=0, le=limits.WAIT_SECONDS)] = 0


class NewSteps(Body):
    """Steps that a running step adds: one a line, `title | exit criterion`, with `KEY:` in front to choose
    the key."""

    token: Id
    tasks: Text
    reason: Text


class AttemptFailure(Body):
    """Why an attempt failed."""

    token: Id
    error: Text
    usage: UsageGiven | None = None


@dataclass(frozen=True)
class SpentBudget:
    """The budget that is used up while an attempt runs: with the plan's (`whole`) what runs may end, with
    that of its step whoever holds it stops. Neither is in the way of a result."""

    whole: bool
    sentence: str


@dataclass(frozen=True)
class AttemptFacts:
    """One try at a task; `task` is the task's id, `key` names its step.

    `breadcrumb` is the last word about the task, and `heard_at` when its executor last said anything. `token`
    fences the claim that holds or held it; 0 while nobody did. `result` is the word that a completion
    carried, `proof` what it rests on: `proved`, or `asserted`. `held` says what keeps a live one from being
    claimed or completed: a lost handover (EC-3), or a question to a person. `spent` says which budget is used
    up while it runs.
    `same_as` is the number of the attempt whose result stands, because this one's is the same (FR-010).
    `committed` says that the orchestrator made the `commit` of what stood in the attempt's worktree,
    `touched` which of its files neither the step nor its lane owns. `verification` is that of its last
    completion: while it is pending the attempt runs, and the completion counts when its command is green.
    """

    id: int
    number: int
    task: int
    key: str
    status: AttemptStatus
    executor: str
    claimed_as: str
    token: int
    breadcrumb: str
    heard_at: datetime | None
    outcome: str
    result: str
    proof: str
    error: str
    commit: str
    committed: bool
    touched: tuple[str, ...]
    held: str
    spent: SpentBudget | None
    same_as: int | None
    verification: VerificationFacts | None
    usage: UsageFacts
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class ClaimFacts:
    """What a claim gives: the token that every further call carries, what completion has to prove (which the
    brief in it does not say again), and the brief.

    Who claims once more what they hold is given the same.
    """

    attempt: AttemptFacts
    token: int
    criteria: tuple[CriterionFacts, ...]
    brief: Brief


@dataclass(frozen=True)
class AddedStep:
    """A step that a running one added."""

    key: str
    title: str


@dataclass(frozen=True)
class AdditionFacts:
    """The `steps` that were added, and how many more the running one may add (`left`).

    `version` is the number of the version that has them.
    """

    version: int
    steps: tuple[AddedStep, ...]
    left: int


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
class McpFacts:
    """Where MCP over HTTP listens on the server's machine; empty where the installation starts none."""

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
    """An attempt that the executor holds. Its token, and in short what is asked; the brief has more.

    `verification` is what became of its last completion: being verified, or refused with the end of the log.
    `held` says what is in its way, such as a question to a person, `spent` which budget is used up.
    `worktree`, at `path` on the server's machine, and `branch` are where it works, from the commit `base` on;
    empty without a place.
    """

    attempt: int
    token: int
    task: int
    key: str
    title: str
    workstream: str
    since: datetime
    breadcrumb: str
    heard_at: datetime | None
    to_prove: tuple[str, ...]
    outputs_folder: str
    brief: str
    verification: VerificationFacts | None
    held: str
    spent: SpentBudget | None
    worktree: str
    path: str
    branch: str
    base: str


@dataclass(frozen=True)
class HeldTasks:
    """What the executor holds; `count` is how many without the limit."""

    count: int
    items: tuple[HeldTask, ...]
