"""The criteria that the completion of a task is asked to prove now (AS-7, FR-021)."""

from orchestrator.core.engine.proof import kinds_to_prove
from orchestrator.models import Criterion, Task
from orchestrator.queries.base.sql import Joined, Table


def criteria_to_prove(task: Task) -> list[Criterion]:
    """Returns the exit criteria of the task's step in their order, after rework behind its entry criteria."""
    kinds = kinds_to_prove(task.rework)
    criteria: list[Criterion] = [row["criterion"] for row in _CRITERIA.rows(task.step_id)]
    return [criterion for criterion in criteria if criterion.kind in kinds]


_CRITERIA = Joined(
    {"criterion": Table(Criterion)},
    """orchestrator_criterion criterion WHERE criterion.step_id = %s
ORDER BY criterion.kind, criterion.position""",
)
