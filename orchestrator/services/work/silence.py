"""Silence: a question to a person about an executor that said nothing for long, once for each silence (WF-9,
EC-6)."""

from datetime import datetime

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
from orchestrator.models import Assignment, Blocker, Intervention, Task
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.locks import locked_task
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.interventions import close_intervention, open_intervention

#: Questions that one look asks; the next one asks the others.
AT_ONCE = 50


def ask_about_silence(now: datetime) -> int:
    """Ask a person about every agent or tool that was not heard for `SILENCE_MINUTES`; how many were asked
    about. No status changes, and who was asked about once is not again before its next word."""
    before = silent_since(now, settings.SILENCE_MINUTES)
    if before is None:
        return 0
    tasks = list(_silent(before).values_list("attempt__task", flat=True)[:AT_ONCE])
    return sum(_ask(task_id, before, now) for task_id in tasks)


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


def _silent(before: datetime) -> QuerySet[Assignment]:
    """Claims whose holder was last heard before then, and that have waited for nothing and nobody since: who
    asked, or was held up, is silent from the answer on."""
    asked = Intervention.objects.filter(task=OuterRef("attempt__task"), kind=InterventionKind.SILENCE)
    asked = asked.filter(raised_at__gte=OuterRef("attempt__task__heard_at"))
    blocked = Blocker.objects.filter(
        Q(resolved_at=None) | Q(resolved_at__gte=before), task=OuterRef("attempt__task")
    )
    answered = Intervention.objects.filter(task=OuterRef("attempt__task"), cleared_at__gte=before)
    verified = Q(attempt__verification__state=VerificationState.PENDING)
    rows = Assignment.objects.filter(
        released_at=None,
        attempt__status=AttemptStatus.RUNNING,
        attempt__task__heard_at__lt=before,
        attempt__task__needs_human=False,
        attempt__task__workstream__status=WorkstreamStatus.ACTIVE,
    )
    rows = rows.exclude(executor__kind=ExecutorKind.PERSON).exclude(verified)
    rows = rows.filter(~Exists(asked), ~Exists(blocked), ~Exists(answered))
    return rows.order_by("attempt__task__heard_at", "pk")


def _ask(task_id: int, before: datetime, now: datetime) -> bool:
    with unit_of_work():
        task = locked_task(task_id)
        held = _silent(before).filter(attempt__task=task).select_related("attempt__place").first()
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
