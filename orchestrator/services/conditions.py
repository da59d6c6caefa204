"""Steps whose condition is false are skipped by the round that finds it so (AD-8)."""

from collections.abc import Mapping
from datetime import datetime

from orchestrator.core.schedule import Verdict
from orchestrator.core.terms import TaskStatus
from orchestrator.models import Task, Workstream
from orchestrator.services.actor import ORCHESTRATOR
from orchestrator.services.history import record


def skip(
    *, skipped: Mapping[str, Verdict], tasks: Mapping[str, Task], workstream: Workstream, number: int, now: datetime
) -> None:
    """Mark tasks of the locked workstream as skipped in round `number`; what stands behind them goes on.

    A skipped task hands nothing over. Rework that reaches a step before it makes it pending, to be judged again.
    """
    for key, verdict in skipped.items():
        task = tasks[key]
        task.status, task.updated_at = TaskStatus.SKIPPED, now
        task.save(update_fields=["status", "updated_at"])
        record(
            workstream=workstream,
            actor=ORCHESTRATOR,
            action="step skipped",
            subject=key,
            reason=verdict.sentence,
            now=now,
            data={"round": number, "skipped": [key], "condition": task.step.condition},
        )
