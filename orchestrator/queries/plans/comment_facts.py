"""What machines read of the comments on a plan (WF-3)."""

from orchestrator.contract.comments import CommentFacts, DiscussionFacts
from orchestrator.queries.plans.comments import Discussion


def thread_facts(thread: Discussion) -> DiscussionFacts:
    return DiscussionFacts(
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
