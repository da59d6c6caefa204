"""What machines read of the comments on a plan (WF-3)."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.queries.plans.comments import Thread


@dataclass(frozen=True)
class CommentFacts:
    """`draft` is true for what the caller's account alone sees until it is sent."""

    id: int
    author: str
    body: str
    at: datetime
    draft: bool


@dataclass(frozen=True)
class ThreadFacts:
    """`version` is the one it was opened on, `text` the line there, `line` where that stands now."""

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


def thread_facts(thread: Thread) -> ThreadFacts:
    return ThreadFacts(
        id=thread.pk,
        version=thread.number,
        place=thread.place,
        text=thread.text,
        line=thread.line,
        step=thread.step,
        outdated=thread.outdated,
        changed=thread.changed,
        resolved_by=thread.resolved_by,
        resolved_at=thread.resolved_at,
        comments=tuple(
            CommentFacts(one.pk, one.author, one.body, one.at, one.draft) for one in thread.remarks
        ),
    )
