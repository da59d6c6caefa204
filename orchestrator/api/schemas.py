"""What requests carry. Unknown members are ignored, so no request can set what it does not name here (B29)."""

from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field, StrictBool

from orchestrator.core.terms import TaskStatus, WorkstreamStatus

#: Characters of one text; longer ones belong into an output file.
TEXT_LIMIT = 10_000
Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
#: Row ids and fencing tokens, as wide as the database's own.
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Page(Schema):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class WorkstreamQuery(Page):
    status: WorkstreamStatus | None = None
    domain: Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")] = ""


class TaskQuery(Page):
    """`claimable=true` keeps the tasks whose attempt can be claimed now."""

    needs_human: bool | None = None
    status: TaskStatus | None = None
    workstream: UUID | None = None
    claimable: bool = False


class Encoded(Schema):
    """Contents that are not text."""

    base64: str


class Breadcrumb(Schema):
    token: Id
    breadcrumb: Text


class Completion(Schema):
    """`evidence` by criterion id; `outputs` maps relative file names to text, or to `{"base64": "..."}`."""

    token: Id
    outcome: Text = ""
    evidence: dict[int, Text] = {}
    outputs: dict[str, str | Encoded] = {}
    commit: Annotated[str, Field(max_length=64)] = ""


class Failure(Schema):
    token: Id
    error: Text


class Flag(Schema):
    intervention_note: Text = ""


class Clearing(Schema):
    answer: Text = ""


class Requeue(Schema):
    reason: Text


class TaskChange(Schema):
    """Seed 003's flag: true needs an intervention note (LC-6)."""

    needs_human: StrictBool
    intervention_note: Text = ""
    answer: Text = ""


class StatusChange(Schema):
    """`completed` accepts, `archived` archives (LC-9, LC-10)."""

    status: Annotated[str, Field(max_length=40)]
    reason: Text = ""


class PlanText(Schema):
    source: str


class PlanSubmission(PlanText):
    """With `workstream`, a new version of the plan of one that is still being planned."""

    source_name: Annotated[str, Field(min_length=1, max_length=200)] = "PLAN.md"
    workstream: UUID | None = None
    change_reason: Text = ""


Keys = Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=1000)]


class MappingLine(Schema):
    """What becomes of steps of work in flight. The first of several carries the attempts.

    Without `new` the old steps are dropped, which takes a reason when they were started. `redo` is for a started step
    that is defined differently: true does it again, false lets what was done stand.
    """

    old: Keys
    new: Keys = []
    redo: StrictBool | None = None
    reason: Text = ""


Lines = Annotated[list[MappingLine], Field(max_length=10_000)]


class OneMigration(Schema):
    """Steps that the mapping leaves out stay under their key, or else are dropped or added."""

    mapping: Lines = []
    reason: Text = ""


class ManyMigrations(OneMigration):
    workstreams: Annotated[list[UUID], Field(min_length=1, max_length=500)]


class RollBack(Schema):
    migration: Id
    reason: Text = ""


class Approval(Schema):
    sha256: Annotated[str, Field(max_length=64)]
    note: Text = ""
    mapping: Lines = []
    effective_at: AwareDatetime | None = None


class Start(Schema):
    title: Annotated[str, Field(max_length=200)]
