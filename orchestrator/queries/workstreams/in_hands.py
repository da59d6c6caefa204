"""What a person has begun and not ended: tasks they hold, drafts they have not sent, questions they asked."""

from functools import partial

from django.contrib.auth.models import User

from orchestrator.core.errors import NotFound
from orchestrator.models import Assignment, Comment, Executor, Intervention
from orchestrator.queries.workstreams.inbox_sources import InboxEntry, Source


def held_by(user: User) -> Source:
    """What the executors of this account run."""
    rows = Assignment.objects.filter(executor__user=user, released_at=None)
    rows = rows.select_related("attempt__task__step", "attempt__task__workstream")
    entry = partial(_held_entry, user)
    return Source("held", rows, entry, "claimed_at", "attempt__task__workstream__", "attempt__task__")


def held_assignment(row: int) -> Assignment:
    """NotFound for what nobody holds any more."""
    found = Assignment.objects.filter(pk=row, released_at=None).first()
    if found is None:
        raise NotFound("Nobody holds it any more.", recovery="Look at your list again.")
    return found


def _held_entry(user: User, held: Assignment) -> InboxEntry:
    task = held.attempt.task
    at = f", {task.heard_at:%Y-%m-%d %H:%M} UTC" if task.heard_at else ""
    said = f"the last word{at}: {task.breadcrumb}" if task.breadcrumb else "no breadcrumb yet"
    place = (str(task.workstream.uuid), task.step.key)
    holder = "You hold it" if held.claimed_as == user.get_username() else f"Held by {held.claimed_as}"
    why = f"{holder}; {said}"
    return InboxEntry(str(task.step), task.workstream.title, why, held.claimed_at, "task", place)


def drafts_of(user: User) -> Source:
    rows = Comment.objects.filter(author=user, sent_at=None, discarded_at=None)
    rows = rows.select_related("discussion__version__workflow").defer("discussion__version__source")
    return Source("draft", rows, _draft_entry, "written_at", "discussion__version__workstream__")


def _draft_entry(comment: Comment) -> InboxEntry:
    version = comment.discussion.version
    title = f"Draft on {comment.discussion.place} of version {version.number}"
    place = (version.workflow.slug, version.number)
    return InboxEntry(title, version.workflow.name, comment.body, comment.written_at, "plan-review", place)


def questions_of(user: User) -> Source:
    """Questions that nobody has answered, raised by this account or one of its executors."""
    own = Executor.objects.filter(user=user).select_related("user")
    names = [user.get_username(), *(one.label for one in own)]
    rows = Intervention.objects.filter(raised_by__in=names, cleared_at=None)
    rows = rows.select_related("task__step", "task__workstream")
    return Source("asked", rows, _asked_entry, "raised_at", "task__workstream__", "task__")


def _asked_entry(asked: Intervention) -> InboxEntry:
    task = asked.task
    place = (str(task.workstream.uuid), task.step.key)
    return InboxEntry(str(task.step), task.workstream.title, asked.note, asked.raised_at, "task", place)
