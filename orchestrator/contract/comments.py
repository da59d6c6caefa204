"""Comments on the text of a plan, line by line, and what its author answers (WF-3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt

from orchestrator.contract.values import Body, Key, Text
from orchestrator.core.terms import VersionStatus


class CommentReply(Body):
    """An answer in a discussion. It is a draft unless `send` is true."""

    body: Text
    send: StrictBool = False


class NewComment(CommentReply):
    """A comment on a line, on a step, or (neither given) on the whole plan."""

    line: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 0
    step: Key = ""


@dataclass(frozen=True)
class CommentFacts:
    """One comment. `draft` is true for what the caller's account alone sees until it is sent."""

    id: int
    author: str
    body: str
    at: datetime
    draft: bool


@dataclass(frozen=True)
class DiscussionFacts:
    """A comment with its answers.

    `version` is the one it was opened on, `text` the line there, `line` where that stands now. It is
    `outdated` when the line or step is changed or gone, `resolved_by` is empty while it is open.
    """

    id: int
    version: int
    place: str
    text: str
    line: int
    step: str
    outdated: bool
    changed: bool
    resolved_by: str
    resolved_at: datetime | None
    comments: tuple[CommentFacts, ...]


@dataclass(frozen=True)
class DiscussionList:
    """The discussions of a plan; `count` is how many there are without the limit.

    `version` is the one that the lines stand in, `status` what was decided about it and `reason` why.
    """

    workflow: str
    version: int
    status: VersionStatus
    reason: str
    count: int
    discussions: tuple[DiscussionFacts, ...]
