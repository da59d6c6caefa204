"""One plan: its text is checked, and submitted for review (WF-2, WF-3)."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool

from orchestrator.contract.accounts import AccountFacts
from orchestrator.contract.adoption import AdoptionFacts
from orchestrator.contract.findings import FindingFacts
from orchestrator.contract.previews import PreviewFacts
from orchestrator.contract.values import Body, Text
from orchestrator.core.plans.rehearsing.preview import DEFAULT_EXECUTORS, MOST_EXECUTORS
from orchestrator.core.terms import Format


class PlanText(Body):
    """The text of a plan. `format` forces how it is read; `values` are given to the parameters of a template;
    `tag` chooses one tag of a task-master file that has several. With `checkpoints` as `remarks`, what
    another tool's text says of checkpoints is kept as text and nobody signs there."""

    source: str
    format: Format | None = None
    tag: Text = ""
    values: dict[str, Text] = {}
    checkpoints: Literal["gates", "remarks"] = "gates"


class PlanCheck(PlanText):
    """A text to be checked; nothing is stored.

    `executors` is how many the preview is to have. With `adopt` it shows what the state that the source tells
    leaves to do, as a submission with `adopt` would.
    """

    executors: Annotated[int, Field(ge=1, le=MOST_EXECUTORS)] = DEFAULT_EXECUTORS
    adopt: StrictBool = False


class PlanSubmission(PlanText):
    """A plan that people are to review.

    With `workstream` it is a new version of the plan of one that is planned or under way: `change_reason`
    says why, `change_impact` what it means for those who work by the plan (empty: what the steps show).
    `wanted_effective_at` is shown to the approver, who decides. With `adopt`, approval takes over the state
    that the source tells of its tasks. With `leave_needs`, dependencies that cannot hold (unknown, in a
    circle) do not keep the plan out: its reviewer drops them, and it is not approvable before.
    """

    source_name: Annotated[str, Field(min_length=1, max_length=200)] = "PLAN.md"
    workstream: UUID | None = None
    change_reason: Text = ""
    adopt: StrictBool = False
    leave_needs: StrictBool = False
    change_impact: Text = ""
    wanted_effective_at: AwareDatetime | None = None


@dataclass(frozen=True)
class WayFacts:
    """One of the two ways to read a text whose nested items may be details or steps: its `format` forces it.

    `here` marks the one that this answer is about; `titles` are those of its first steps, `account` says what
    became of the lines.
    """

    format: Format
    steps: int
    here: bool
    titles: tuple[str, ...]
    account: str


@dataclass(frozen=True)
class CheckFacts:
    """What a reviewer would see of a text.

    `format` is what it was read as, null when it is no text. `approvable` is false while a finding blocks.
    `account` says what became of every line that looks like work.
    `ways` are both readings of a text that can be read in two. `preview` is null when nothing in the text can
    be scheduled, `adoption` when the text tells no state.
    """

    format: Format | None
    approvable: bool
    account: AccountFacts
    ways: tuple[WayFacts, ...]
    findings: tuple[FindingFacts, ...]
    preview: PreviewFacts | None
    adoption: AdoptionFacts | None


@dataclass(frozen=True)
class FileCheckFacts(CheckFacts):
    """The check of a file, by its `name`; what `preview_plan --json` prints of each."""

    name: str


@dataclass(frozen=True)
class SubmissionFacts:
    """A version that waits for review at the address `review`.

    `sha256` is what an approval is bound to, `account` what became of every line that looks like work, `ways`
    both readings of a text that can be read in two. With `adopts`, approval takes over the state that the
    source tells.
    """

    workstream: UUID
    workstream_slug: str
    version_id: int
    version: int
    sha256: str
    format: Format
    adopts: bool
    approvable: bool
    account: AccountFacts
    ways: tuple[WayFacts, ...]
    findings: tuple[FindingFacts, ...]
    review: str
