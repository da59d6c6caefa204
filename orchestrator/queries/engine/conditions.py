"""The conditions of tasks with the facts they rest on; nothing is read for a workstream without conditions
(AD-8).
"""

from collections.abc import Sequence

from django.db.models import F, OuterRef, Subquery

from orchestrator.core.engine.conditions import Ended, When, steps_named
from orchestrator.core.engine.explain import SKIPPED_IN_SOURCE
from orchestrator.core.terms import AttemptStatus, Reason, TaskStatus
from orchestrator.models import Attempt, Task, Workstream
from orchestrator.queries.plans.readings import plan_of


def conditions_of(workstream: Workstream, tasks: Sequence[Task]) -> dict[int, When]:
    """The condition of every pending or blocked task that has one, by task id."""
    waiting = {TaskStatus.PENDING.value, TaskStatus.BLOCKED.value}
    asking = [
        task for task in tasks if task.step.condition and task.status in waiting and not task.step.is_gate
    ]
    if not asking:
        return {}
    named = {task.pk: steps_named(task.step.condition) for task in asking}
    ended = _ended(workstream, {key for keys in named.values() for key in keys})
    parameters = (
        _parameters(workstream) if any("parameter" in t.step.condition.lower() for t in asking) else ()
    )
    conditions = {}
    for task in asking:
        facts = tuple(ended[key] for key in named[task.pk] if key in ended)
        conditions[task.pk] = When(task.step.condition, facts, parameters)
    return conditions


def skipped_because(task: Task) -> str:
    """Why a skipped task is: the sentence of the round, or that its source had dropped it; empty for any
    other task.
    """
    if task.status != TaskStatus.SKIPPED:
        return ""
    by_round = task.verdict is not None and task.verdict.reason == Reason.CONDITION
    return task.verdict.sentence if task.verdict and by_round else SKIPPED_IN_SOURCE


def _ended(workstream: Workstream, keys: set[str]) -> dict[str, Ended]:
    """How the steps in effect stand; the word is that of the newest completion."""
    completed = Attempt.objects.filter(task=OuterRef("pk"), status=AttemptStatus.COMPLETED).order_by(
        "-number"
    )
    rows = Task.objects.filter(workstream=workstream, step__version=workstream.version_id, step__key__in=keys)
    found = rows.annotate(key=F("step__key"), result=Subquery(completed.values("result")[:1]))
    return {
        key: Ended(key, TaskStatus(status), result or "", bool(rework))
        for key, status, result, rework in found.values_list("key", "status", "result", "rework")
    }


def _parameters(workstream: Workstream) -> tuple[tuple[str, str], ...]:
    return plan_of(workstream.version).parameters
