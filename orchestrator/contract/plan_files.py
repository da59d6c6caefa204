"""Many files at once: which plans they hold, and what became of each (WF-2, AD-3)."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StrictBool

from orchestrator.contract.adoption import AdoptionFacts
from orchestrator.contract.findings import FindingFacts
from orchestrator.contract.plans import SubmissionFacts
from orchestrator.contract.values import NO_NUL, Body, Title
from orchestrator.core import limits
from orchestrator.core.terms import Format


class NamedText(Body):
    """A file. `name` is its path with `/`: PLAN.md, TASKS.md, tasks.json and index.json of one folder are one
    plan."""

    name: Annotated[str, Field(min_length=1, max_length=300, pattern=NO_NUL)]
    source: str


class FileSet(Body):
    """Files that hold plans. `format` forces how all of them are read."""

    files: Annotated[list[NamedText], Field(min_length=1, max_length=limits.PLAN_FILES)]
    format: Format | None = None


class FileSubmission(FileSet):
    """With the name of a `bundle`, all plans are taken or none; else each is submitted on its own.

    With `adopt`, approval takes over the state that the sources tell of their tasks. With `leave_needs`,
    dependencies that cannot hold keep no plan out: reviewers drop them.
    """

    bundle: Title = ""
    adopt: StrictBool = False
    leave_needs: StrictBool = False


@dataclass(frozen=True)
class ReadPlanFacts:
    """A plan that the files hold, as it was read.

    It cannot be submitted while `submittable` is false, nor approved while `approvable` is. What it needs of
    other workstreams is judged when it is submitted.
    """

    name: str
    format: Format | None
    title: str
    tasks: int
    submittable: bool
    approvable: bool
    findings: tuple[FindingFacts, ...]
    adoption: AdoptionFacts | None


@dataclass(frozen=True)
class LeftOutFacts:
    """A file that is no plan, and why not."""

    name: str
    why: str


@dataclass(frozen=True)
class PlanFilesFacts:
    """The plans that the files hold, and the files that are none."""

    plans: tuple[ReadPlanFacts, ...]
    left_out: tuple[LeftOutFacts, ...]


@dataclass(frozen=True)
class PlanOutcomeFacts:
    """What became of one plan: its `submission`, or why there is none.

    `refusal` and `recovery` are empty for a submitted plan; the `findings` of a refused one name the lines.
    """

    name: str
    submission: SubmissionFacts | None
    refusal: str
    recovery: str
    findings: tuple[FindingFacts, ...]


@dataclass(frozen=True)
class PlanOutcomesFacts:
    """What became of every plan that the files hold; `submit_plan --json` prints it too.

    `bundle` is the id of the bundle that they were submitted as, if they were.
    """

    bundle: int | None
    plans: tuple[PlanOutcomeFacts, ...]
    left_out: tuple[LeftOutFacts, ...]
