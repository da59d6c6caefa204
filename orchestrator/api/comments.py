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
from orchestrator.models import CommentThread, WorkflowVersion
from orchestrator.queries.plans.comment_facts import thread_facts
from orchestrator.queries.plans.comments import conversation
from orchestrator.queries.plans.judged import judged_version
from orchestrator.queries.plans.plans import find_version, workstream_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.plans import comments

router = Routes(tags=["comments"])


@router.get("/workflows/{slug:slug}/versions/{int:number}/threads", response=list[DiscussionFacts])
@needs(Scope.READ)
def listing(request: HttpRequest, slug: str, number: int, query: Query[Page]) -> list[DiscussionFacts]:
    """The threads opened up to this version; `outdated` ones stand on a line or step that is
    changed or gone.
    """
    threads = threads_of(find_version(slug, number), caller_of(request).actor)
    return threads[query.offset : query.offset + query.limit]


@router.post("/workflows/{slug:slug}/versions/{int:number}/threads", response={201: list[DiscussionFacts]})
@act(comments.open_thread, status=201)
def comment(request: HttpRequest, slug: str, number: int, body: NewComment) -> list[DiscussionFacts]:
    """A draft on a line, a step or the whole plan; `send` true sends it, with every other draft of the
    account.
    """
    version, actor, now = find_version(slug, number), caller_of(request).actor, timezone.now()
    with unit_of_work():
        comments.open_thread(
            version_id=version.pk, line=body.line, step=body.step, body=body.body, actor=actor, now=now
        )
        _send(version, actor, now, send=body.send)
    return threads_of(version, actor)


@router.post("/workflows/{slug:slug}/versions/{int:number}/threads/send", response=list[DiscussionFacts])
@act(comments.send_comments)
def send(request: HttpRequest, slug: str, number: int) -> list[DiscussionFacts]:
    """Send every draft that the account wrote on the workflow; a decision does so too."""
    version, actor = find_version(slug, number), caller_of(request).actor
    comments.send_comments(version_id=version.pk, actor=actor, now=timezone.now())
    return threads_of(version, actor)


@router.post("/comment-threads/{int:thread_id}/reply", response=list[DiscussionFacts])
@act(comments.reply)
def reply(request: HttpRequest, thread_id: int, body: CommentReply) -> list[DiscussionFacts]:
    """Answer in a thread; the answer of all routes here are the threads of the version."""
    actor, now = caller_of(request).actor, timezone.now()
    with unit_of_work():
        version = comments.reply(thread_id=thread_id, body=body.body, actor=actor, now=now).thread.version
        _send(version, actor, now, send=body.send)
    return threads_of(version, actor)


@router.post("/comment-threads/{int:thread_id}/resolve", response=list[DiscussionFacts])
@act(comments.resolve_thread)
def resolve(request: HttpRequest, thread_id: int) -> list[DiscussionFacts]:
    actor = caller_of(request).actor
    return _settled(comments.resolve_thread(thread_id=thread_id, actor=actor, now=timezone.now()), actor)


@router.post("/comment-threads/{int:thread_id}/reopen", response=list[DiscussionFacts])
@act(comments.reopen_thread)
def reopen(request: HttpRequest, thread_id: int) -> list[DiscussionFacts]:
    actor = caller_of(request).actor
    return _settled(comments.reopen_thread(thread_id=thread_id, actor=actor, now=timezone.now()), actor)


def threads_of(version: WorkflowVersion, actor: Actor) -> list[DiscussionFacts]:
    plan = judged_version(version, workstream_of(version)).plan
    return [thread_facts(thread) for thread in conversation(version, plan, actor.account.pk).threads]


def _send(version: WorkflowVersion, actor: Actor, now: datetime, *, send: bool) -> None:
    if send:
        comments.send_comments(version_id=version.pk, actor=actor, now=now)


def _settled(thread: CommentThread, actor: Actor) -> list[DiscussionFacts]:
    return threads_of(thread.version, actor)
