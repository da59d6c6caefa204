"""The counters that lifecycle and signals are derived from (LC-1, LC-2)."""

from datetime import datetime

from django.db.models import Count, Q

from orchestrator.core.terms import OPEN_TASK, TaskStatus
from orchestrator.models import Task, Workstream

OPEN = [status.value for status in sorted(OPEN_TASK)]
DONE = [TaskStatus.COMPLETE.value, TaskStatus.SKIPPED.value]


def recount(workstream: Workstream, now: datetime) -> None:
    """Bring the counters of a locked workstream up to date; every act that touches a task ends with it."""
    counts = Task.objects.filter(workstream=workstream).aggregate(
        open=Count("pk", filter=Q(status__in=OPEN)),
        done=Count("pk", filter=Q(status__in=DONE)),
        blocked=Count("pk", filter=Q(status=TaskStatus.BLOCKED)),
    )
    workstream.open_tasks, workstream.done_tasks = counts["open"], counts["done"]
    workstream.blocked_tasks = counts["blocked"]
    finished = workstream.done_tasks > 0 and workstream.open_tasks == 0
    workstream.finished_at = (workstream.finished_at or now) if finished else None
    workstream.updated_at = now
    workstream.save(
        update_fields=["open_tasks", "done_tasks", "blocked_tasks", "finished_at", "started_at", "updated_at"]
    )


def settle(task: Task, now: datetime) -> None:
    """Save a task's changed columns and recount its locked workstream."""
    task.updated_at = now
    task.save()
    recount(task.workstream, now)
