"""A plan as one value: what every reader produces and everything else works on (WF-1, FR-001).

A plan is stages (serial) of batches (serial) of threads (parallel) of steps. A gate is a step that a person
decides (design section 2). Line numbers are 1-based lines of the source; 0 means "not from a line". Readers
never raise on bad text: they return a `Reading` with findings. Lines, and what was inferred, say where a plan
came from; they are no part of its content, so plans are compared without them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from orchestrator.core.findings import Finding
from orchestrator.core.plans.ways import WayToRead
from orchestrator.core.plans.work_lines import NOTHING_COUNTED, Account
from orchestrator.core.terms import Format, GateKind, StageKind, StepKind, TaskStatus

SLUG_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class Need:
    """A dependency on another step or gate, by key. `inferred` marks what the plan did not say itself."""

    key: str
    line: int = field(default=0, compare=False)
    inferred: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class GateSpec:
    """What a person decides: its kind, who may sign (roles or user names), what happens first, what it
    unlocks.

    `signatures` is how many different people sign; 0 means one for each of `reviewers`.
    """

    kind: GateKind
    reviewers: tuple[str, ...] = ()
    action: str = ""
    unlocks: tuple[str, ...] = ()
    signatures: int = 1


@dataclass(frozen=True, slots=True)
class StepSpec:
    """The unit of definition. Keys are unique in a plan. `estimate` is in minutes, 0 when not given.

    `outcomes` are the words a completion may carry, the first being the usual one; conditions (`when`) ask
    for them. `max_attempts` trips the circuit breaker, 0 for the default. `may_add` is how many steps it may
    add at run time, `added_by` the key of the step that added this one (AD-8). `when_line` is the line of the
    condition. `verify` is the command that proves its completion, a gate's that of the steps before it,
    `none` for none (BX-9). `budget` is what it may use of models before a person is asked, in canonical
    words (`core/engine/budgets.py`).
    """

    key: str
    title: str
    line: int = field(default=0, compare=False)
    details: str = ""
    parallel: bool = False
    needs: tuple[Need, ...] = ()
    gate: GateSpec | None = None
    role: str = ""
    tool: str = ""
    run: str = ""
    verify: str = ""
    budget: str = ""
    files: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    entry: tuple[str, ...] = ()
    exit: tuple[str, ...] = ()
    done_when: tuple[str, ...] = ()
    when: str = ""
    when_line: int = field(default=0, compare=False)
    estimate: int = 0
    outcomes: tuple[str, ...] = ()
    max_attempts: int = 0
    may_add: int = 0
    added_by: str = ""
    inferred: tuple[str, ...] = field(default=(), compare=False)

    @property
    def kind(self) -> StepKind:
        return StepKind.WORK if self.gate is None else StepKind.GATE


@dataclass(frozen=True, slots=True)
class ThreadSpec:
    """Runs beside the other threads of its batch (BX-1).

    `lane` is its id (`A` of WS-A, or its number); `files` are what it owns.
    """

    lane: str
    name: str
    line: int = field(default=0, compare=False)
    steps: tuple[StepSpec, ...] = ()
    summary: str = ""
    role: str = ""
    files: tuple[str, ...] = ()
    worktree: str = ""


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """A serial group. `prefix` is what the plan numbers it (`01`, `99`, `MP1`); position gives the order."""

    prefix: str
    name: str
    line: int = field(default=0, compare=False)
    threads: tuple[ThreadSpec, ...] = ()
    summary: str = ""

    @property
    def slug(self) -> str:
        return slugify(f"{self.prefix} {self.name}")

    @property
    def documents(self) -> bool:
        """Whether it writes the documentation that the work ends with (WF-6)."""
        return self.prefix == "99" or self.name.lower().startswith("document")


@dataclass(frozen=True, slots=True)
class StageSpec:
    number: int
    name: str
    line: int = field(default=0, compare=False)
    kind: StageKind = StageKind.NORMAL
    batches: tuple[BatchSpec, ...] = ()
    definition: str = ""

    @property
    def slug(self) -> str:
        """`stage-3-fix-auth-race`: the folder name of seed 000."""
        return slugify(f"stage {self.number} {self.name}")


@dataclass(frozen=True, slots=True)
class Question:
    """A question the plan leaves open; an unchecked one blocks approval."""

    text: str
    line: int = field(compare=False)
    answered: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole contract. `repository` names a repository the operator registered; work happens on
    `base_branch`.

    `approvers` are the user names of people who all have to approve it, `approvals` is how many people have
    to at least; 0 leaves that to the workflow (WF-3).

    `needs` are the names of workstreams that have to be completed first (AD-3), `needs_line` where they
    stand. `by_needs` says that dependencies alone give the order: no batches are derived, and a gate stands
    in the batch whose steps it waits for (BX-4). `verify` proves the completion of every step that names
    nothing of its own (BX-9). `budget` is that of all its steps together; `silence` after how long a
    person is asked about an executor that says nothing, `90m` or `none`, empty for what the operator set
    (WF-9).
    """

    name: str
    stages: tuple[StageSpec, ...] = ()
    summary: str = ""
    domain: str = ""
    owner: str = ""
    priority: int = 0
    repository: str = ""
    base_branch: str = "main"
    questions: tuple[Question, ...] = ()
    parameters: tuple[tuple[str, str], ...] = field(default=())
    needs: tuple[str, ...] = ()
    needs_line: int = field(default=0, compare=False)
    approvers: tuple[str, ...] = ()
    approvals: int = 0
    approvers_line: int = field(default=0, compare=False)
    by_needs: bool = False
    verify: str = ""
    budget: str = ""
    silence: str = ""

    @property
    def slug(self) -> str:
        return slugify(self.name)

    @property
    def owned_files(self) -> tuple[str, ...]:
        """Every file pattern that threads and steps own, but for the documentation, which plans share."""
        owned: dict[str, None] = {}
        for stage in self.stages:
            if stage.kind is StageKind.DOCUMENTATION:
                continue
            for batch in stage.batches:
                for thread in () if batch.documents else batch.threads:
                    owned |= dict.fromkeys(thread.files)
                    for step in thread.steps:
                        owned |= dict.fromkeys(step.files)
        return tuple(owned)

    def placed_steps(self) -> "Iterator[PlacedStep]":
        """Every step with its place, in plan order."""
        new = tuple.__new__
        for s, stage in enumerate(self.stages):
            for b, batch in enumerate(stage.batches):
                for t, thread in enumerate(batch.threads):
                    for n, step in enumerate(thread.steps):
                        yield new(PlacedStep, (step, stage, batch, thread, (s, b, t, n)))

    def threads(self) -> "Iterator[ThreadSpec]":
        for stage in self.stages:
            for batch in stage.batches:
                yield from batch.threads

    def steps(self) -> "Iterator[StepSpec]":
        for stage in self.stages:
            for batch in stage.batches:
                for thread in batch.threads:
                    yield from thread.steps

    def with_steps(self, change: Callable[[StepSpec], StepSpec]) -> "Plan":
        """The same plan with every step changed."""

        def thread(spec: ThreadSpec) -> ThreadSpec:
            return replace(spec, steps=tuple(change(step) for step in spec.steps))

        def batch(spec: BatchSpec) -> BatchSpec:
            return replace(spec, threads=tuple(thread(t) for t in spec.threads))

        def stage(spec: StageSpec) -> StageSpec:
            return replace(spec, batches=tuple(batch(b) for b in spec.batches))

        return replace(self, stages=tuple(stage(s) for s in self.stages))


class PlacedStep(NamedTuple):
    """A step and where it stands; `place` is (stage, batch, thread, step) as 0-based positions."""

    step: StepSpec
    stage: StageSpec
    batch: BatchSpec
    thread: ThreadSpec
    place: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step was when its source was written, in the words of seed 000 (WF-8)."""

    key: str
    status: TaskStatus
    line: int = field(default=0, compare=False)
    breadcrumb: str = ""
    report: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of a source. `plan` is None when nothing in it can be scheduled.

    `progress` has the steps that were begun, ended or given to somebody already (`core/changes/adoption.py`);
    a plan has no state. `format` is what the source was read as; None when it is no text. `account` says what
    became of every line that looks like work; a text that cannot be read has none. `ways` are the readings of
    a text that can be read in two, this one first.
    """

    plan: Plan | None
    findings: tuple[Finding, ...] = ()
    progress: tuple[Progress, ...] = ()
    format: Format | None = None
    account: Account = NOTHING_COUNTED
    ways: tuple[WayToRead, ...] = ()

    @property
    def blockers(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.blocks)


def slugify(text: str) -> str:
    """Lower-case ASCII words joined by hyphens, at most 60 characters; never empty, never a path."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:SLUG_LENGTH].strip("-") or "unnamed"
