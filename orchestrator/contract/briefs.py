"""Brief and continuation: all that an executor needs to do a task, or to go on with it (WF-4, WF-9,
FR-014)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.contract.artifacts import ArtifactFacts, OutputFacts
from orchestrator.contract.places import PlaceFacts
from orchestrator.contract.rework import Returned, Rework, ToProve
from orchestrator.contract.tasks import TaskFacts
from orchestrator.contract.values import Page
from orchestrator.core.terms import AttemptStatus, CriterionKind, InterventionKind, VerificationState


@dataclass(frozen=True)
class CriterionFacts:
    """A criterion. A completion needs evidence, by this id, for every one that is `asked`: those of the kind
    `exit`, and after rework those of the kind `entry` too. Where none of the kind `exit` is asked it needs an
    `outcome`, a sentence that says what was done and how it was checked."""

    id: int
    kind: CriterionKind
    text: str
    asked: bool


@dataclass(frozen=True)
class EarlierAttempt:
    """An attempt that has ended.

    `same_as` is the number of the attempt whose result stands, because this one's is the same (FR-010).
    """

    number: int
    status: AttemptStatus
    executor: str
    claimed_as: str
    outcome: str
    result: str
    error: str
    commit: str
    ended_at: datetime | None
    same_as: int | None


@dataclass(frozen=True)
class InterventionFacts:
    """A question that was put to a person, with the answer; `cleared_at` is null while it is open.

    `kind` says whether somebody asked, the circuit breaker tripped, or a file is damaged. `choices` are the
    answers that may be given; none means free text.
    """

    kind: InterventionKind
    note: str
    choices: tuple[str, ...]
    raised_by: str
    raised_at: datetime
    answer: str
    cleared_at: datetime | None


@dataclass(frozen=True)
class TaughtFacts:
    """What an earlier batch or merge point taught, of this workstream or of another one on the same
    repository (BX-7)."""

    workstream_slug: str
    after: str
    went_wrong: str
    worked: str
    tighten: str


@dataclass(frozen=True)
class DocumentedStep:
    """A step and what it handed over; `state` says why there is nothing when it is not complete.

    `outputs` are paths in the workspace. `documentation` is true for the steps that write documentation
    themselves.
    """

    stage: str
    batch: str
    thread: str
    key: str
    title: str
    state: str
    outcome: str
    outputs: tuple[str, ...]
    documentation: bool


@dataclass(frozen=True)
class TakenOver:
    """A workstream that goes on in this one; `plan` is where its text stands in the workspace (FR-003)."""

    slug: str
    title: str
    plan: str


@dataclass(frozen=True)
class Shortened:
    """A list or text of which only a part is shown, so that the answer stays short: `shown` of so many
    entries, or characters. The rest is at the brief's `address`, by `offset` and `limit`."""

    what: str
    shown: int
    of: int


class BriefQuery(Page):
    """Which entries of every list of a brief."""


@dataclass(frozen=True)
class VerificationFacts:
    """`pending` is being verified: the completion counts when the command is green. `refused` says why in
    `sentence`, with the end of the run's log; the attempt is still held and can be completed again. `tree` is
    git's name of the files that it ran on, `log_sha256` the digest of the whole log."""

    state: VerificationState
    sentence: str
    command: str
    source: str
    commit: str
    tree: str
    exit_code: int | None
    milliseconds: int
    log_sha256: str
    log_end: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Brief:
    """What an executor reads before it starts: first a `summary`; all of it stands at `address`.

    `outcomes` are the words that a completion may carry, the first being the usual one; `condition` is why
    the step runs at all; `may_add` is how many steps it may still add while it runs. `upstream` are the
    results that it builds on. `documents` is what a documentation step writes about: every step of work with
    its outputs (WF-6). `rework` says why the task is done again and which criteria need new evidence; it is
    null for a first try. `verified_by` is the command that proves a completion with a commit, empty where
    what is said is only asserted; `verification` what became of the last one (BX-9). `left_out` says of what
    only a part is shown.
    """

    summary: str
    address: str
    task: TaskFacts
    details: str
    role: str
    tool: str
    run: str
    condition: str
    outcomes: tuple[str, ...]
    may_add: int
    needs: tuple[str, ...]
    files: tuple[str, ...]
    resources: tuple[str, ...]
    place: PlaceFacts
    criteria: tuple[CriterionFacts, ...]
    earlier_attempts: tuple[EarlierAttempt, ...]
    upstream: tuple[ArtifactFacts, ...]
    interventions: tuple[InterventionFacts, ...]
    learnings: tuple[TaughtFacts, ...]
    documents: tuple[DocumentedStep, ...]
    took_over: tuple[TakenOver, ...]
    rework: Rework | None
    verified_by: str = ""
    verification: VerificationFacts | None = None
    left_out: tuple[Shortened, ...] = ()


@dataclass(frozen=True)
class BreadcrumbFacts:
    """What an executor said it did last; `attempt` says where, or that it was before the plan came here."""

    at: datetime
    executor: str
    attempt: str
    text: str


@dataclass(frozen=True)
class Continuation:
    """What an executor reads before it goes on with interrupted work.

    `own_outputs` are the newest files of the task's own attempts, as they stand in the workspace.
    """

    brief: Brief
    breadcrumbs: tuple[BreadcrumbFacts, ...]
    returned: tuple[Returned, ...]
    own_outputs: tuple[OutputFacts, ...]
    to_prove: tuple[ToProve, ...]


@dataclass(frozen=True)
class Orientation:
    """A continuation as facts, and the same as Markdown."""

    markdown: str
    continuation: Continuation
