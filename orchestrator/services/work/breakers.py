"""Circuit breakers: a task that keeps failing asks for a person instead of being tried again.

Requirements: FR-027, EC-6.
"""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.breaker import Failure, tripped
from orchestrator.core.errors import BreakerOpen
from orchestrator.core.terms import AttemptStatus, InterventionKind
from orchestrator.models import Attempt, Task
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import record
from orchestrator.services.people.interventions import close_intervention, open_intervention


def trip_breaker(attempt: Attempt, now: datetime) -> None:
    """Judge a task after a failure; when it trips, the task asks for a person. The caller holds the lock and
    settles.

    A question that was open is closed without an answer: the failure has overtaken it.
    """
    task = attempt.task
    failed = task.attempts.filter(status=AttemptStatus.FAILED, number__gt=task.forgiven).order_by("number")
    failures = [Failure(number, error) for number, error in failed.values_list("number", "error")]
    trip = tripped(failures, task.step.max_attempts)
    if trip is None:
        return
    if asked := task.interventions.filter(cleared_at=None).first():
        close_intervention(asked, task, "Overtaken: the circuit breaker stopped the step.", ORCHESTRATOR, now)
    record(
        workstream=task.workstream,
        actor=ORCHESTRATOR,
        action=Action.BREAKER_TRIPPED,
        subject=f"{task.step.key} attempt {attempt.number}",
        reason=trip.note,
        now=now,
        data={"task": task.step.key, "attempts": list(trip.attempts), "alike": trip.alike},
    )
    open_intervention(task, InterventionKind.BREAKER, trip.note, ORCHESTRATOR, now)


def refuse_open_breaker(task: Task) -> None:
    """BreakerOpen while the task's breaker, or its budget, waits for a person."""
    kinds = (InterventionKind.BREAKER, InterventionKind.BUDGET)
    asked = task.interventions.filter(kind__in=kinds, cleared_at=None).first()
    if asked is None:
        return
    if asked.kind == InterventionKind.BUDGET:
        raise BreakerOpen(f"The budget of {task.step.key} is used up: a person has to decide about it.")
    raise BreakerOpen(f"{task.step.key} failed too often: its circuit breaker waits for a person.")
