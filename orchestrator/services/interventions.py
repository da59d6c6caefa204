"""Interventions: a task asks for a person, a person answers (LC-6, LC-7)."""

from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import MissingNote, WrongState
from orchestrator.core.terms import TERMINAL_TASK, Role, TaskStatus
from orchestrator.models import Intervention, Task
from orchestrator.services.actor import Actor
from orchestrator.services.history import record
from orchestrator.services.locks import locked_task
from orchestrator.services.progress import settle
from orchestrator.services.wake import wake


def flag_for_human(*, task_id: int, note: str, actor: Actor, now: datetime) -> Intervention:
    """Ask for a person; without a note that says what for, MissingNote (422). A running attempt stays claimed."""
    actor.require(Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER)
    if not note.strip():
        raise MissingNote("A task is flagged with an intervention note.", field="intervention_note")
    with transaction.atomic():
        task = locked_task(task_id)
        if TaskStatus(task.status) in TERMINAL_TASK:
            raise WrongState(f"{task.step.key} is {task.status}; there is nothing left to ask.")
        if task.needs_human:
            raise WrongState(f"{task.step.key} already waits for a person: {task.intervention_note}")
        task.needs_human, task.intervention_note = True, note.strip()
        intervention = Intervention.objects.create(task=task, note=note.strip(), raised_by=actor.label, raised_at=now)
        _record(task, actor, "flagged for a human", note, now)
        settle(task, now)
        wake(task.workstream_id)
    return intervention


def clear_human_flag(*, task_id: int, answer: str, actor: Actor, now: datetime) -> Intervention:
    """Mark the question as dealt with; the answer goes to whoever does the step."""
    actor.require(Role.INITIATOR, Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER)
    with transaction.atomic():
        task = locked_task(task_id)
        intervention = task.interventions.filter(cleared_at=None).first()
        if intervention is None:
            raise WrongState(f"{task.step.key} does not wait for a person.")
        intervention.answer, intervention.cleared_by, intervention.cleared_at = answer.strip(), actor.account, now
        intervention.save(update_fields=["answer", "cleared_by", "cleared_at"])
        task.needs_human, task.intervention_note = False, ""
        _record(task, actor, "intervention done", answer, now)
        settle(task, now)
        wake(task.workstream_id)
    return intervention


def _record(task: Task, actor: Actor, action: str, reason: str, now: datetime) -> None:
    record(workstream=task.workstream, actor=actor, action=action, subject=task.step.key, reason=reason, now=now)
