"""Steps whose condition is false are skipped by the round that finds it so (AD-8)."""

from collections.abc import Mapping
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.schedule import Verdict
from orchestrator.core.terms import TaskStatus
from orchestrator.models import Task, Workstream
from orchestrator.queries.base.parts import in_parts
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import Said, record_each


def skip(
    *,
    skipped: Mapping[str, Verdict],
    tasks: Mapping[str, Task],
    workstream: Workstream,
    number: int,
    now: datetime,
) -> None:
    """Mark tasks of the locked workstream as skipped in round `number`; what stands behind them goes on.

    A skipped task hands nothing over. Rework that reaches a step before it makes it pending, to be judged
    again.
    """
    for some in in_parts([tasks[key].pk for key in skipped]):
        Task.objects.filter(pk__in=some).update(status=TaskStatus.SKIPPED, updated_at=now)
    for key in skipped:
        tasks[key].status, tasks[key].updated_at = TaskStatus.SKIPPED, now
    record_each(
        workstream=workstream,
        actor=ORCHESTRATOR,
        action=Action.STEP_SKIPPED,
        entries=[_said(tasks[key], verdict, number) for key, verdict in skipped.items()],
        now=now,
    )


def _said(task: Task, verdict: Verdict, number: int) -> Said:
    key = task.step.key
    return Said(key, verdict.sentence, {"round": number, "skipped": [key], "condition": task.step.condition})
