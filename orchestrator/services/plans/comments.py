"""Comments on a version: written as drafts, sent together, answered, resolved (WF-3).

A draft is its author's own and may be changed or thrown away; what was sent stays as it is and is never
deleted.
"""

from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from orchestrator.core import limits
from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, MissingNote, NotFound, Refusal, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.plans.text.sections import lines_of, sections_of
from orchestrator.core.terms import Scope
from orchestrator.models import Comment, Discussion, Step, ViewedSection, WorkflowVersion, Workstream
from orchestrator.queries.plans.plans import workstream_of
from orchestrator.queries.plans.readings import reading_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import EVERY_ROLE, act, why
from orchestrator.services.base.bounds import refuse_more_comments
from orchestrator.services.base.decided import by_whom
from orchestrator.services.base.history import record, speaks_of
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.unit_of_work import unit_of_work

LONGEST = limits.TEXT_CHARACTERS
BODY: Final = why(
    "body", "The comment says nothing.", recovery="Write what should change and why.", refusal=MissingNote
)


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=BODY,
)
def open_discussion(
    *, version_id: int, body: str, actor: Actor, now: datetime, line: int = 0, step: str = ""
) -> Discussion:
    """Begin a discussion with a draft, on a line, a step or (neither given) the whole plan.

    InvalidInput for a line or a step that the version does not have.
    """
    version = WorkflowVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such version.")
    if line and step:
        raise InvalidInput("A comment stands on a line or on a step, not on both.", field="line")
    if not 0 <= line <= len(lines_of(version.source)):
        raise InvalidInput(f"Version {version.number} has no line {line}.", field="line")
    if step and not _has_step(version, step):
        raise InvalidInput(f"Version {version.number} has no step {step[:80]}.", field="step")
    with unit_of_work():
        refuse_more_comments(version, actor)
        discussion = Discussion.objects.create(
            version=version, line=line, step=step, opened_by=actor.account, opened_at=now
        )
        _draft(discussion, body, actor, now)
    return discussion


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=BODY,
)
def reply(*, discussion_id: int, body: str, actor: Actor, now: datetime) -> Comment:
    """Answer in a discussion, as a draft. While its author alone sees it, only the author may."""
    discussion = _seen_discussion(discussion_id, actor)
    refuse_more_comments(discussion.version, actor)
    return _draft(discussion, body, actor, now)


@act(
    roles=PARTICIPANTS,
    reason=BODY,
    only="its author",
)
def change_draft(*, comment_id: int, body: str, actor: Actor, now: datetime) -> Comment:
    """Other words for a draft; WrongState once it was sent."""
    comment = _own_draft(comment_id, actor)
    comment.body, comment.written_at = _said(body), now
    comment.save(update_fields=["body", "written_at"])
    return comment


@act(
    roles=PARTICIPANTS,
    only="its author",
)
def discard_draft(*, comment_id: int, actor: Actor, now: datetime) -> None:
    """Throw a draft away: it is not shown any more, and neither is a discussion that has nothing else."""
    comment = _own_draft(comment_id, actor)
    comment.discarded_at = now
    comment.save(update_fields=["discarded_at"])


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    only="its author",
    locks=(Lock.WORKSTREAM,),
    records=(Action.COMMENTS_SENT,),
)
def send_comments(*, version_id: int, actor: Actor, now: datetime) -> int:
    """Send the actor's drafts without a decision; WrongState when there are none. Locks the workstream."""
    version = WorkflowVersion.objects.select_related("workflow").filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such version.")
    with unit_of_work():
        workstream = locked_workstream(workstream_of(version).pk)
        sent = send_drafts(version=version, workstream=workstream, actor=actor, now=now)
        if not sent:
            raise WrongState("There is no comment to send.", recovery="Write a comment first.")
    return sent


def send_drafts(*, version: WorkflowVersion, workstream: Workstream, actor: Actor, now: datetime) -> int:
    """Send every draft that the actor wrote on this workflow, with the decision on `version`; how many there
    were.

    The caller holds the workstream's lock and a transaction.
    """
    if actor.user is None:
        return 0
    drafts = drafts_of(version, actor.account.pk)
    comments = list(drafts.select_related("discussion"))
    where = sorted({comment.discussion.place for comment in comments})
    sent = drafts.update(sent_at=now)
    for comment in comments:
        comment.sent_at = now
        speaks_of(comment, comment.discussion)
    if sent:
        record(
            workstream=workstream,
            actor=actor,
            action=Action.COMMENTS_SENT,
            subject=f"version {version.number}",
            now=now,
            data={"comments": sent, "on": where},
        )
    return sent


def drafts_of(version: WorkflowVersion, author_id: int) -> QuerySet[Comment]:
    """What somebody wrote on any version of the workflow and has not sent."""
    return Comment.objects.filter(
        discussion__version__workflow=version.workflow_id, author=author_id, sent_at=None, discarded_at=None
    )


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    locks=(Lock.WORKSTREAM,),
    records=(Action.DISCUSSION_RESOLVED,),
)
def resolve_discussion(*, discussion_id: int, actor: Actor, now: datetime) -> Discussion:
    """Say that what was asked for is done; it stays to be read. Locks the workstream."""
    return _settle(discussion_id, actor, now, resolved=True)


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    locks=(Lock.WORKSTREAM,),
    records=(Action.DISCUSSION_REOPENED,),
)
def reopen_discussion(*, discussion_id: int, actor: Actor, now: datetime) -> Discussion:
    """Say that it is not settled after all. Locks the workstream."""
    return _settle(discussion_id, actor, now, resolved=False)


def _settled_already(discussion: Discussion, workstream: Workstream) -> Refusal:
    """Names who resolved or re-opened it first."""
    settled = discussion.resolved_at is not None
    said = f"The discussion is {'resolved' if settled else 'open'} already"
    return by_whom(
        WrongState(f"{said}."),
        said,
        workstream=workstream,
        actions=[Action.DISCUSSION_RESOLVED if settled else Action.DISCUSSION_REOPENED],
        subject=_named(discussion),
    )


def _named(discussion: Discussion) -> str:
    """What history calls it."""
    return f"version {discussion.version.number}, {discussion.place}"


def _settle(discussion_id: int, actor: Actor, now: datetime, *, resolved: bool) -> Discussion:
    discussion = _seen_discussion(discussion_id, actor)
    with unit_of_work():
        workstream = locked_workstream(workstream_of(discussion.version).pk)
        discussion.refresh_from_db()
        if not discussion.comments.filter(sent_at__isnull=False).exists():
            raise WrongState(
                "Nothing of this discussion was sent yet.", recovery="Send it, or throw the draft away."
            )
        if (discussion.resolved_at is not None) is resolved:
            raise _settled_already(discussion, workstream)
        discussion.resolved_by, discussion.resolved_at = (actor.account, now) if resolved else (None, None)
        discussion.resolved_as = actor.label if resolved else ""
        discussion.save(update_fields=["resolved_by", "resolved_as", "resolved_at"])
        record(
            workstream=workstream,
            actor=actor,
            action=Action.DISCUSSION_RESOLVED if resolved else Action.DISCUSSION_REOPENED,
            subject=_named(discussion),
            now=now,
            data={"discussion": discussion.pk},
        )
    return discussion


@act(
    roles=EVERY_ROLE,
)
def mark_viewed(*, version: WorkflowVersion, number: int, viewed: bool, actor: Actor, now: datetime) -> None:
    """Mark a section as viewed by this reader, or remove the mark, for as long as its text stays the same;
    InvalidInput for one that the version does not have."""
    sections = sections_of(reading_of(version).plan, lines_of(version.source))
    section = next((one for one in sections if one.number == number), None)
    if section is None:
        raise InvalidInput("This is no section of the plan.", field="number")
    mark, _ = ViewedSection.objects.get_or_create(
        workflow_id=version.workflow_id, reader=actor.account, sha256=section.sha256
    )
    if (mark.viewed_at is not None) is not viewed:
        mark.viewed_at = now if viewed else None
        mark.save(update_fields=["viewed_at"])


def _has_step(version: WorkflowVersion, key: str) -> bool:
    """In effect a version has its steps as rows; before, its text defines them."""
    if Step.objects.filter(version=version, key=key).exists():
        return True
    plan = reading_of(version).plan
    return plan is not None and any(step.key == key for step in plan.steps())


def _draft(discussion: Discussion, body: str, actor: Actor, now: datetime) -> Comment:
    return Comment.objects.create(
        discussion=discussion, author=actor.account, said_as=actor.label, body=_said(body), written_at=now
    )


def _said(body: str) -> str:
    if len(body) > LONGEST:
        raise InvalidInput(f"A comment has at most {LONGEST} characters.", field="body")
    return body.strip()


def _seen_discussion(discussion_id: int, actor: Actor) -> Discussion:
    """The discussion, if the actor may see it: NotFound for somebody else's draft."""
    discussion = Discussion.objects.select_related("version__workflow").filter(pk=discussion_id).first()
    if discussion is None or not (
        discussion.opened_by_id == actor.account.pk or discussion.comments.exclude(sent_at=None).exists()
    ):
        raise NotFound("There is no such discussion.")
    return discussion


def _own_draft(comment_id: int, actor: Actor) -> Comment:
    comment = Comment.objects.select_related("discussion").filter(pk=comment_id).first()
    if (
        comment is None
        or comment.discarded_at
        or (comment.sent_at is None and comment.author_id != actor.account.pk)
    ):
        raise NotFound("There is no such draft.")
    if comment.sent_at is not None:
        raise WrongState(
            "The comment was sent and stays as it is.", recovery="Answer in the discussion instead."
        )
    return comment
