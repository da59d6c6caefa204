"""The criteria that the completion of a task is asked to prove now (AS-7, FR-021)."""

from django.db.models import QuerySet

from orchestrator.core.engine.proof import kinds_to_prove
from orchestrator.models import Criterion, Task


def criteria_to_prove(task: Task) -> QuerySet[Criterion]:
    """Returns the exit criteria of the task's step in their order, after rework behind its entry criteria."""
    kinds = kinds_to_prove(task.rework)
    return Criterion.objects.filter(step=task.step_id, kind__in=kinds).order_by("kind", "position")
