"""What machines read of the comments on a plan (WF-3)."""

from orchestrator.contract.comments import CommentFacts, DiscussionFacts
from orchestrator.queries.plans.comments import PlacedDiscussion


def discussion_facts(discussion: PlacedDiscussion) -> DiscussionFacts:
    return DiscussionFacts(
        id=discussion.pk,
        version=discussion.number,
        place=discussion.place,
        text=discussion.text,
        line=discussion.line,
        step=discussion.step,
        outdated=discussion.outdated,
        changed=discussion.changed,
        resolved_by=discussion.resolved_by,
        resolved_at=discussion.resolved_at,
        comments=tuple(
            CommentFacts(remark.pk, remark.author, remark.body, remark.at, remark.draft)
            for remark in discussion.remarks
        ),
    )
