"""What was used, as executors said it, and the budgets that it is held against (FR-013)."""

from typing import Any

from django.db.models import QuerySet, Sum

from orchestrator.core.engine.budgets import BUDGET_QUESTIONS, Budget, read_budget
from orchestrator.core.engine.usage import Usage, totals
from orchestrator.models import Attempt, Task, Workstream

#: The columns of an attempt that are summed, and what each is in a sum.
SUMS = {
    "read": Sum("tokens_in"),
    "written": Sum("tokens_out"),
    "money": Sum("cost_micros"),
    "time": Sum("model_seconds"),
}


def used_in(workstream: Workstream) -> tuple[Usage, ...]:
    """Of all attempts of a workstream, failed ones too."""
    return _sums(Attempt.objects.filter(task__workstream=workstream))


def used_for(task: Task) -> tuple[Usage, ...]:
    """Of all attempts of a task, failed ones too."""
    return _sums(Attempt.objects.filter(task=task))


def used_in_each(workstreams: list[int]) -> dict[int, tuple[Usage, ...]]:
    """Of each of these workstreams that was told anything, in one statement."""
    attempts = telling(Attempt.objects.filter(task__workstream__in=workstreams))
    rows = attempts.order_by().values("task__workstream", "currency").annotate(**SUMS)
    found: dict[int, list[Usage]] = {}
    for row in rows:
        found.setdefault(row["task__workstream"], []).append(usage_of(row))
    return {workstream: totals(used) for workstream, used in found.items()}


def plan_budget(workstream: Workstream) -> Budget:
    """What a person set, or else what the version in effect says."""
    return read_budget(workstream.budget or workstream.version.budget)


def step_budget(task: Task) -> Budget:
    """What a person set for the task, or else what its step says."""
    return read_budget(task.budget or task.step.budget)


def asks_about_budget(task: Task) -> bool:
    """Whether what the task asks is about a budget: that is in no result's way, and not everybody who may
    answer may decide about money."""
    return task.interventions.filter(kind__in=BUDGET_QUESTIONS, cleared_at=None).exists()


def telling(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Those whose executors said anything of what they used."""
    return attempts.exclude(tokens_in=0, tokens_out=0, cost_micros=0, model_seconds=0)


def usage_of(row: Any) -> Usage:
    """A row of sums as one value."""
    return Usage(
        tokens_in=int(row["read"]),
        tokens_out=int(row["written"]),
        micros=int(row["money"]),
        currency=str(row["currency"]),
        seconds=int(row["time"]),
    )


def _sums(attempts: QuerySet[Attempt]) -> tuple[Usage, ...]:
    rows = telling(attempts).order_by().values("currency").annotate(**SUMS)
    return totals(usage_of(row) for row in rows)
