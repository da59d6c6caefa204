"""Comments on a version: why a plan came back, line by line, and what its author answers (WF-3)."""

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.comments import CommentReply, DiscussionFacts, NewComment
from orchestrator.contract.values import Page
from orchestrator.core.terms import Scope
from orchestrator.models import Discussion, WorkflowVersion
from orchestrator.queries.plans.comment_facts import discussion_facts
from orchestrator.queries.plans.comments import discussions_on
from orchestrator.queries.plans.judged import judged_version
from orchestrator.queries.plans.plans import find_version, workstream_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.plans import comments

router = Routes(tags=["comments"])


@router.get("/workflows/{slug:slug}/versions/{int:number}/discussions", response=list[DiscussionFacts])
@needs(Scope.READ)
def listing(request: HttpRequest, slug: str, number: int, query: Query[Page]) -> list[DiscussionFacts]:
    """The discussions opened up to this version.

    `outdated` ones stand on a line or step that is changed or gone.
    """
    discussions = discussions_of(find_version(slug, number), caller_of(request).actor)
    return discussions[query.offset : query.offset + query.limit]


@router.post(
    "/workflows/{slug:slug}/versions/{int:number}/discussions", response={201: list[DiscussionFacts]}
)
@act(comments.open_discussion, status=201)
def comment(request: HttpRequest, slug: str, number: int, body: NewComment) -> list[DiscussionFacts]:
    """A draft on a line, a step or the whole plan.

    `send` true sends it, with every other draft of the account.
    """
    version, actor, now = find_version(slug, number), caller_of(request).actor, timezone.now()
    with unit_of_work():
        comments.open_discussion(
            version_id=version.pk, line=body.line, step=body.step, body=body.body, actor=actor, now=now
        )
        _send(version, actor, now, send=body.send)
    return discussions_of(version, actor)


@router.post("/workflows/{slug:slug}/versions/{int:number}/discussions/send", response=list[DiscussionFacts])
@act(comments.send_comments)
def send(request: HttpRequest, slug: str, number: int) -> list[DiscussionFacts]:
    """Send every draft that the account wrote on the workflow; a decision does so too."""
    version, actor = find_version(slug, number), caller_of(request).actor
    comments.send_comments(version_id=version.pk, actor=actor, now=timezone.now())
    return discussions_of(version, actor)


@router.post("/discussions/{int:discussion_id}/reply", response=list[DiscussionFacts])
@act(comments.reply)
def reply(request: HttpRequest, discussion_id: int, body: CommentReply) -> list[DiscussionFacts]:
    """Answer in a discussion; the answer of all routes here are the discussions of the version."""
    actor, now = caller_of(request).actor, timezone.now()
    with unit_of_work():
        version = comments.reply(
            discussion_id=discussion_id, body=body.body, actor=actor, now=now
        ).discussion.version
        _send(version, actor, now, send=body.send)
    return discussions_of(version, actor)


@router.post("/discussions/{int:discussion_id}/resolve", response=list[DiscussionFacts])
@act(comments.resolve_discussion)
def resolve(request: HttpRequest, discussion_id: int) -> list[DiscussionFacts]:
    actor = caller_of(request).actor
    return _settled(
        comments.resolve_discussion(discussion_id=discussion_id, actor=actor, now=timezone.now()), actor
    )


@router.post("/discussions/{int:discussion_id}/reopen", response=list[DiscussionFacts])
@act(comments.reopen_discussion)
def reopen(request: HttpRequest, discussion_id: int) -> list[DiscussionFacts]:
    actor = caller_of(request).actor
    return _settled(
        comments.reopen_discussion(discussion_id=discussion_id, actor=actor, now=timezone.now()), actor
    )


def discussions_of(version: WorkflowVersion, actor: Actor) -> list[DiscussionFacts]:
    plan = judged_version(version, workstream_of(version)).plan
    return [
        discussion_facts(discussion)
        for discussion in discussions_on(version, plan, actor.account.pk).discussions
    ]


def _send(version: WorkflowVersion, actor: Actor, now: datetime, *, send: bool) -> None:
    if send:
        comments.send_comments(version_id=version.pk, actor=actor, now=now)


def _settled(discussion: Discussion, actor: Actor) -> list[DiscussionFacts]:
    return discussions_of(discussion.version, actor)
