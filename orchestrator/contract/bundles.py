"""Plans that are submitted as one, and their workstreams (AD-3)."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool

from orchestrator.contract.values import NO_NUL, Body
from orchestrator.core import limits
from orchestrator.core.terms import Format, Lifecycle

GivenTitle = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]


class FileText(Body):
    """One plan of a bundle. The others may name it, without the ending, as one that they need."""

    name: GivenTitle
    source: str
    format: Format | None = None


class BundleText(Body):
    """Plans of which all are taken or none.

    With `adopt`, approval takes over the state that the sources tell of their tasks. With `leave_needs`,
    dependencies that cannot hold keep no plan out: reviewers drop them.
    """

    name: GivenTitle
    files: Annotated[list[FileText], Field(min_length=1, max_length=limits.BUNDLE_PLANS)]
    adopt: StrictBool = False
    leave_needs: StrictBool = False


@dataclass(frozen=True)
class MemberFacts:
    """A workstream of a bundle. `state` is derived (LC-1); `needs` are the slugs of those that come before
    it."""

    uuid: UUID
    slug: str
    title: str
    source_name: str
    state: Lifecycle
    needs: tuple[str, ...]


@dataclass(frozen=True)
class BundleFacts:
    """A bundle with its members in the order of submission."""

    id: int
    name: str
    submitted_by: str
    members: tuple[MemberFacts, ...]
