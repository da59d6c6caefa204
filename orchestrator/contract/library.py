"""The library: workflows with parameters that work is started from (AD-8)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from orchestrator.contract.values import NO_NUL, Body, Slug, Text, Title
from orchestrator.core.changes.parametrise import MOST_PARAMETERS


class LibraryQuery(Body):
    """`q`: words that all have to stand in a workflow's name, description or parameters."""

    q: Annotated[str, Field(max_length=100, pattern=NO_NUL)] = ""
    archived: bool = False


class ParameterText(Body):
    """A parameter to be made: `text` is what the plan says now; it becomes `{{name}}` and the default."""

    name: Annotated[str, Field(max_length=60)]
    text: Annotated[str, Field(max_length=500)]
    hint: Title = ""


class NewWorkflow(Body):
    """Which plan becomes a workflow: the slug of an approved `plan`, and its `version`.

    With `of`, the slug of a workflow, it becomes the next version of that one.
    """

    plan: Slug
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    name: Title = ""
    description: Text = ""
    parameters: Annotated[list[ParameterText], Field(max_length=MOST_PARAMETERS)]
    of: Slug = ""
    reason: Text = ""


class WorkflowStart(Body):
    """`values` by parameter; one that is left out keeps its default."""

    values: dict[str, Text] = {}
    wanted_effective_at: AwareDatetime | None = None


@dataclass(frozen=True)
class ParameterFacts:
    """A parameter. Without a default a value has to be given."""

    name: str
    default: str
    hint: str


@dataclass(frozen=True)
class WorkflowFacts:
    """A workflow of the library; `version` is 0 and `saved_by` empty when it is shipped.

    `plan` and `plan_version` say which approved plan it was made of, `used` how many plans were started from
    it. `source` is its text, when one workflow is asked for.
    """

    name: str
    title: str
    description: str
    summary: str
    version: int
    parameters: tuple[ParameterFacts, ...]
    stages: int
    steps: int
    gates: int
    threads: int
    used: int
    saved_by: str
    saved_at: datetime | None
    plan: str
    plan_version: int | None
    archived: bool
    source: str | None = None


@dataclass(frozen=True)
class LibraryFacts:
    """The workflows that were looked up, saved ones first."""

    count: int
    items: tuple[WorkflowFacts, ...]
