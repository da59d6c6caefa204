"""What requests carry. Unknown members are ignored, so no request can set what it does not name
here (B29).
"""

from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field, StrictBool, StrictInt

from orchestrator.core import limits
from orchestrator.core.plans.rehearsing.preview import DEFAULT_EXECUTORS, MOST_EXECUTORS
from orchestrator.core.terms import (
    BlockerKind,
    Format,
    InboxState,
    Settlement,
    Severity,
    TaskStatus,
    WorkstreamStatus,
)

#: Characters of one text; longer ones belong into an output file.
TEXT_LIMIT = limits.TEXT_CHARACTERS
Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
Choices = Annotated[list[Text], Field(max_length=100)]
#: A user name or another short word.
Name = Annotated[str, Field(max_length=150, pattern=r"^[^\x00]*$")]
#: Row ids and fencing tokens, as wide as the database's own.
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Page(Schema):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=limits.ROWS)] = 100
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


class CollectedQuery(Page):
    """`state` is ingested or quarantined; `executor` the name of the producer."""

    state: InboxState | None = None
    executor: Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")] = ""


class RecoveryChoice(Schema):
    """A way out of a damaged artifact (EC-3)."""

    way: Literal["retry", "republish", "restore", "withdraw"]
    reason: Text = ""


class SettlementChoice(Schema):
    """What becomes of a branch that the database does not know."""

    way: Settlement
    reason: Text = ""


class Encoded(Schema):
    """Contents that are not text."""

    base64: str


class Breadcrumb(Schema):
    token: Id
    breadcrumb: Text


class Completion(Schema):
    """`evidence` by criterion id; `outputs` maps relative file names to text, or to `{"base64": "..."}`.

    `result` is one of the step's declared outcomes; empty means the first of them.
    """

    token: Id
    outcome: Text = ""
    evidence: Annotated[dict[int, Text], Field(max_length=limits.EVIDENCE_TEXTS)] = {}
    outputs: Annotated[dict[str, str | Encoded], Field(max_length=limits.OUTPUT_FILES)] = {}
    commit: Annotated[str, Field(max_length=64)] = ""
    result: Annotated[str, Field(max_length=60)] = ""


class NewSteps(Schema):
    """`tasks` has one step a line: `title | exit criterion`, with `KEY:` in front to choose the key."""

    token: Id
    tasks: Text
    reason: Text


class Failure(Schema):
    token: Id
    error: Text


class Flag(Schema):
    """With `choices`, two or more, the answer has to be one of them."""

    intervention_note: Text = ""
    choices: Choices = []


class Clearing(Schema):
    answer: Text = ""


class Requeue(Schema):
    reason: Text


class BlockerQuery(Page):
    state: Literal["open", "resolved", "all"] = "open"
    owner: Name = ""
    kind: BlockerKind | None = None
    workstream: UUID | None = None


class Declaration(Schema):
    """A blocker: `kind` is its class; `owner` is the user name of whoever sees to it."""

    kind: Name
    note: Text
    owner: Name = ""


class Resolution(Schema):
    resolution: Text


class Transfer(Schema):
    """`to` is the user name of the new owner."""

    to: Name
    reason: Text = ""


class ThreadChoice(Schema):
    """`mode` is assigned or preferred."""

    executor: Name
    mode: Name = "assigned"
    reason: Text = ""


class Freeing(Schema):
    reason: Text = ""


class Taught(Schema):
    """`after` names the batch or merge point; at least one text, or `nothing`."""

    after: Name
    went_wrong: Text = ""
    worked: Text = ""
    tighten: Text = ""
    nothing: StrictBool = False


class Answer(Schema):
    """A draft, unless `send` is true."""

    body: Text
    send: StrictBool = False


class Remark(Answer):
    """A comment on a line, on a step, or (neither given) on the whole plan."""

    line: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 0
    step: Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")] = ""


class TaskChange(Schema):
    """Seed 003's flag: true needs an intervention note (LC-6)."""

    needs_human: StrictBool
    intervention_note: Text = ""
    choices: Choices = []
    answer: Text = ""


class StatusChange(Schema):
    """`completed` accepts, `archived` archives (LC-9, LC-10)."""

    status: Annotated[str, Field(max_length=40)]
    reason: Text = ""


class Reason(Schema):
    reason: Text


class Priority(Schema):
    """A higher number goes first."""

    priority: Annotated[StrictInt, Field(ge=-999_999, le=999_999)]
    reason: Text


class NewStage(Schema):
    """`tasks` has one task a line, `title | exit criterion`, below lines `# Batch: name` and `# Thread: name`
    where there are several. `gate` names the evaluation that a fix stage follows; `sign_gate` signs it when
    the stage takes effect."""

    name: Annotated[str, Field(max_length=200)]
    tasks: Text
    reason: Text
    gate: Annotated[str, Field(max_length=80)] = ""
    sign_gate: StrictBool = False


Commit = Annotated[str, Field(max_length=64)]


class Integration(Schema):
    """`commit` is where the work stands on the base branch."""

    commit: Commit = ""
    note: Text = ""


class Revert(Schema):
    """`commit` reverts the merge; empty when the base branch was reset."""

    reason: Text
    commit: Commit = ""


class Signature(Schema):
    """`follow_ups`: tasks, one a line, `title | exit criterion`."""

    reason: Text = ""
    follow_ups: Text = ""


class Rejection(Schema):
    """`return_to` is the key of the step that work returns to."""

    reason: Text
    return_to: Annotated[str, Field(max_length=80)]


class PlanText(Schema):
    """`values` are written into the front matter of a template, by parameter. `format` forces how the text is
    read.
    """

    source: str
    format: Format | None = None
    values: dict[str, Text] = {}


class PlanCheck(PlanText):
    """`executors` is how many the preview is to have; with `adopt` it shows what the state that the source
    tells leaves to do, as a submission with `adopt` would."""

    executors: Annotated[int, Field(ge=1, le=MOST_EXECUTORS)] = DEFAULT_EXECUTORS
    adopt: StrictBool = False


class PlanSubmission(PlanText):
    """With `workstream`, a new version of the plan of one that is planned or under way: `change_reason` says
    why, `change_impact` what it means for those who work by the plan (empty: what the steps show).

    `wanted_effective_at` is shown to the approver, who decides. With `adopt`, approval takes over the state
    that the source tells of its tasks.
    """

    source_name: Annotated[str, Field(min_length=1, max_length=200)] = "PLAN.md"
    workstream: UUID | None = None
    change_reason: Text = ""
    adopt: StrictBool = False
    change_impact: Text = ""
    wanted_effective_at: AwareDatetime | None = None


class CheckRuleChange(Schema):
    """`severities` says by code whether a finding blocks approval, warns or informs."""

    severities: Annotated[dict[str, Severity], Field(min_length=1, max_length=200)]
    reason: Text
    impact: Text = ""


Keys = Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=1000)]


class MappingLine(Schema):
    """What becomes of steps of work in flight. The first of several carries the attempts.

    Without `new` the old steps are dropped, which takes a reason when they were started. `redo` is for a
    started step that is defined differently: true does it again, false lets what was done stand.
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
    undo_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = 0


class Withdrawal(Schema):
    reason: Text = ""


class SendBack(Schema):
    """`sha256` is that of the text that was read."""

    sha256: Annotated[str, Field(max_length=64)]
    reason: Text


class Start(Schema):
    title: Annotated[str, Field(max_length=200)]
