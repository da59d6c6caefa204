"""Versions of a plan: decisions about them, migrations to them and back, the change log (FR-001, FR-016,
FR-022)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool

from orchestrator.contract.values import Body, Id, Sha256, Text
from orchestrator.core.terms import MappedOutcome, MappingKind, TaskStatus, VersionStatus

Keys = Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=1000)]


class MappingLine(Body):
    """What becomes of steps of work in flight. The first of several carries the attempts.

    Without `new` the old steps are dropped, which takes a reason when they were started. `redo` is for a
    started step that is defined differently: true does it again, false lets what was done stand.
    """

    old: Keys
    new: Keys = []
    redo: StrictBool | None = None
    reason: Text = ""


MappingLines = Annotated[list[MappingLine], Field(max_length=10_000)]


class OneMigration(Body):
    """How a workstream comes to a version.

    Steps that the mapping leaves out stay under their key, or else are dropped or added.
    """

    mapping: MappingLines = []
    reason: Text = ""


class MappedMigration(OneMigration):
    """With `suggested`, steps that the mapping leaves out are paired as the page suggests: by key, title and
    criteria."""

    suggested: StrictBool = False


class ManyMigrations(MappedMigration):
    """How several workstreams come to a version, each on its own."""

    workstreams: Annotated[list[UUID], Field(min_length=1, max_length=500)]


class RollBack(Body):
    """Which migration is to be rolled back: the workstream's latest."""

    migration: Id
    reason: Text = ""


class VersionApproval(Body):
    """Approval of exactly the text with this SHA-256.

    `effective_at` puts it off, `withdraw_seconds` leaves time to withdraw it before work starts, `mapping`
    says what becomes of steps of work in flight; with `suggested`, those that it leaves out are paired as
    the page suggests.
    """

    sha256: Sha256
    note: Text = ""
    mapping: MappingLines = []
    suggested: StrictBool = False
    effective_at: AwareDatetime | None = None
    withdraw_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = 0


class SendBack(Body):
    """A text that is not to be approved as it is: `sha256` is that of the text that was read."""

    sha256: Sha256
    reason: Text


class DependencyDrop(Body):
    """A dependency that can never hold is dropped from the text with this SHA-256.

    `step` waits for `need`, both by key; `need` may name nothing in the plan.
    """

    sha256: Sha256
    step: Annotated[str, Field(min_length=1, max_length=80)]
    need: Annotated[str, Field(min_length=1, max_length=300)]
    reason: Text


class WorkstreamStart(Body):
    """Another workstream on the version in effect."""

    title: Annotated[str, Field(max_length=200)]


@dataclass(frozen=True)
class VerdictFacts:
    """What becomes of one item; `old` and `new` are step keys, empty when there is none."""

    old: str
    new: str
    kind: MappingKind
    outcome: MappedOutcome
    status: TaskStatus
    sentence: str


@dataclass(frozen=True)
class PairFacts:
    """Steps of work in flight and what they are in the version, by key; `suggested` marks a guess."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    suggested: bool


@dataclass(frozen=True)
class DryRunFacts:
    """What a migration of `workstream`, its id, would do. It is refused unless it `applies`.

    `stuck` are the keys of steps that nothing could ever start afterwards. `pairs` is how the page would pair
    the steps that the mapping leaves out; `suggested` in the body takes it over.
    """

    workstream: UUID
    workstream_slug: str
    applies: bool
    verdicts: tuple[VerdictFacts, ...]
    stuck: tuple[str, ...]
    pairs: tuple[PairFacts, ...]


@dataclass(frozen=True)
class MigrationFacts:
    """What became of one workstream: the id of its `migration`, which a roll back names, or why there is
    none.

    `workstream` is its id; `refusal` and `recovery` are empty for one that was migrated.
    """

    workstream: UUID
    workstream_slug: str
    version: int
    migration: int | None = None
    refusal: str = ""
    recovery: str = ""


@dataclass(frozen=True)
class VersionChangeFacts:
    """An entry of the change log of a workflow.

    `impact` is what the steps show, `note` the impact in the submitter's words; `added`, `dropped`, `changed`
    and `again` (to be done again) are step keys. `wanted_at` is what the submitter asked for, `effective_at`
    what was decided.
    """

    at: datetime
    what: str
    version: int
    who: str
    reason: str
    impact: str
    note: str
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    changed: tuple[str, ...]
    again: tuple[str, ...]
    workstream_title: str
    effective_at: datetime | None
    wanted_at: datetime | None


@dataclass(frozen=True)
class SourceText:
    """The text of a version, which never changes; a decision is bound to its `sha256`."""

    workflow: str
    version: int
    status: VersionStatus
    source_name: str
    sha256: str
    text: str
