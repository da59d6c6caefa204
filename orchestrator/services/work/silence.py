"""Silence: a question to a person about an executor that said nothing for long, once for each silence (WF-9,
EC-6)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from orchestrator.core.engine.silence import Quiet, question, silent_since
from orchestrator.core.terms import (
    AttemptStatus,
    ExecutorKind,
    InterventionKind,
    VerificationState,
    WorkstreamStatus,
)
from orchestrator.models import Assignment, Blocker, Intervention, Task, WorkflowVersion
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.locks import locked_task
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.interventions import close_intervention, open_intervention

#: Questions that one look asks; the next one asks the others.
AT_ONCE = 50


def ask_about_silence(now: datetime) -> int:
    """Ask a person about every agent or tool that was not heard for as long as the plan's `silence` says, or
    else `SILENCE_MINUTES`; how many were asked about. No status changes, and who was asked about once is not
    again before its next word."""
    tasks = list(_silent(now).values_list("attempt__task", flat=True)[:AT_ONCE])
    return sum(_ask(task_id, now) for task_id in tasks)


def heard(task: Task, actor: Actor, now: datetime) -> None:
    """Note a word of who holds the locked task; it answers the question about its silence, if one is open.
    The caller settles."""
    task.heard_at = now
    answer_silence(task, f"{actor.label} was heard again.", actor, now)


def answer_silence(task: Task, said: str, actor: Actor, now: datetime) -> None:
    """Close the question about silence of a locked task, if it has one; the caller settles."""
    if not task.needs_human:
        return
    asked = task.interventions.filter(kind=InterventionKind.SILENCE, cleared_at=None).first()
    if asked is not None:
        close_intervention(asked, task, said, actor, now)


def _silent(now: datetime) -> QuerySet[Assignment]:
    """Claims whose holder was not heard for too long, and that have waited for nothing and nobody since: who
    asked, or was held up, is silent from the answer on."""
    asked = Intervention.objects.filter(task=OuterRef("attempt__task"), kind=InterventionKind.SILENCE)
    asked = asked.filter(raised_at__gte=OuterRef("attempt__task__heard_at"))
    verified = Q(attempt__verification__state=VerificationState.PENDING)
    rows = Assignment.objects.filter(
        released_at=None,
        attempt__status=AttemptStatus.RUNNING,
        attempt__task__needs_human=False,
        attempt__task__workstream__status=WorkstreamStatus.ACTIVE,
    )
    rows = rows.exclude(executor__kind=ExecutorKind.PERSON).exclude(verified)
    rows = rows.filter(_quiet(now), ~Exists(asked))
    return rows.order_by("attempt__task__heard_at", "pk")


def _quiet(now: datetime) -> Q:
    """Not heard, and kept waiting by nobody, since the moment that the plan or else the operator names."""
    named = "attempt__task__step__version__silence_minutes"
    own = WorkflowVersion.objects.filter(silence_minutes__gt=0, workstreams__status=WorkstreamStatus.ACTIVE)
    limits = own.order_by().values_list("silence_minutes", flat=True).distinct()
    found = Q(pk__in=[])
    for minutes in limits:
        found |= Q((named, minutes)) & _since(now - timedelta(minutes=minutes or 0))
    before = silent_since(now, settings.SILENCE_MINUTES)
    return found if before is None else found | (Q((f"{named}__isnull", True)) & _since(before))


def _since(before: datetime) -> Q:
    blocked = Blocker.objects.filter(
        Q(resolved_at=None) | Q(resolved_at__gte=before), task=OuterRef("attempt__task")
    )
    answered = Intervention.objects.filter(task=OuterRef("attempt__task"), cleared_at__gte=before)
    return Q(attempt__task__heard_at__lt=before) & ~Exists(blocked) & ~Exists(answered)


def _ask(task_id: int, now: datetime) -> bool:
    with unit_of_work():
        task = locked_task(task_id)
        held = _silent(now).filter(attempt__task=task).select_related("attempt__place").first()
        if held is None or task.heard_at is None:
            return False
        place = getattr(held.attempt, "place", None)
        quiet = Quiet(
            key=task.step.key,
            number=held.attempt.number,
            holder=held.claimed_as,
            since=held.claimed_at,
            heard_at=task.heard_at,
            last_word=task.breadcrumb,
            branch=place.branch if place else "",
        )
        open_intervention(task, InterventionKind.SILENCE, question(quiet, now), ORCHESTRATOR, now)
        settle(task, now)
    return True
