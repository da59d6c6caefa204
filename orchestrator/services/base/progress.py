"""The counters that lifecycle and signals are derived from (LC-1, LC-2), and what the next round has to look
at.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, Subquery

from orchestrator.core.terms import DONE_TASK, OPEN_TASK, TaskStatus
from orchestrator.models import Step, Task, Workstream

OPEN = [status.value for status in sorted(OPEN_TASK)]
DONE = [status.value for status in sorted(DONE_TASK)]
BLOCKED = [TaskStatus.BLOCKED.value]


def settle(task: Task, now: datetime) -> None:
    """Save a changed task of a locked workstream, count its step from one status to another, and let the next
    round look at it. The cost does not grow with the plan."""
    before = Task.objects.values_list("status", flat=True).get(pk=task.pk)
    task.due, task.standing, task.updated_at = True, False, now
    task.save()
    count_moves(task.workstream, [(before, task.status)], now)


def count_moves(workstream: Workstream, moves: Iterable[tuple[str, str]], now: datetime) -> None:
    """Bring the counters of a locked workstream up to date after tasks went from one status to another."""
    moves = list(moves)
    # The lock is on the row, and the act may hold it in more than one object.
    workstream.refresh_from_db(fields=["open_tasks", "done_tasks", "blocked_tasks", "finished_at"])
    workstream.open_tasks += _balance(moves, OPEN)
    workstream.done_tasks += _balance(moves, DONE)
    workstream.blocked_tasks += _balance(moves, BLOCKED)
    _save(workstream, now)


def recount(workstream: Workstream, now: datetime) -> None:
    """Count every task of a locked workstream again, put each in its step's place, and have the next round
    judge the whole frontier: what an act ends with that changes many tasks or the plan under them."""
    counts = Task.objects.filter(workstream=workstream).aggregate(
        open=Count("pk", filter=Q(status__in=OPEN)),
        done=Count("pk", filter=Q(status__in=DONE)),
        blocked=Count("pk", filter=Q(status__in=BLOCKED)),
    )
    workstream.open_tasks, workstream.done_tasks = counts["open"], counts["done"]
    workstream.blocked_tasks = counts["blocked"]
    workstream.judged_on = ""
    _put_in_place(workstream)
    Task.objects.filter(workstream=workstream, standing=True).update(standing=False)
    _save(workstream, now)


def _balance(moves: Iterable[tuple[str, str]], group: list[str]) -> int:
    return sum((after in group) - (before in group) for before, after in moves)


def _save(workstream: Workstream, now: datetime) -> None:
    finished = workstream.done_tasks > 0 and workstream.open_tasks == 0
    workstream.finished_at = (workstream.finished_at or now) if finished else None
    workstream.updated_at = now
    counters = ["open_tasks", "done_tasks", "blocked_tasks"]
    workstream.save(update_fields=[*counters, "finished_at", "started_at", "updated_at", "judged_on"])


def _put_in_place(workstream: Workstream) -> None:
    tasks = Task.objects.filter(workstream=workstream, step__version=workstream.version_id)
    misplaced = tasks.exclude(
        batch_index=F("step__batch_index"),
        thread=F("step__thread"),
        run_index=F("step__run_index"),
        position=F("step__position"),
    )
    step = Step.objects.filter(pk=OuterRef("step"))
    Task.objects.filter(pk__in=misplaced.values("pk")).update(
        batch_index=Subquery(step.values("batch_index")),
        thread_id=Subquery(step.values("thread")),
        run_index=Subquery(step.values("run_index")),
        position=Subquery(step.values("position")),
    )
