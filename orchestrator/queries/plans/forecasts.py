"""The usage that a plan is likely to need, by what earlier steps said (FR-013, WF-3)."""

from collections.abc import Collection
from typing import Final

from orchestrator.core.engine.likely_usage import LikelyUsage, likely_usage
from orchestrator.core.engine.usage import Usage
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import TaskStatus
from orchestrator.models import Attempt
from orchestrator.queries.base.used import SUMS, telling, usage_of

#: How many earlier steps are looked at, the newest first.
LOOKED_AT: Final = 500


def forecast_of(plan: Plan, workflow: str, ended: Collection[str] = ()) -> LikelyUsage:
    """Of the steps of `plan` that have not `ended`; earlier ones of the `workflow` (its slug) by their keys.
    One statement."""
    keys = [step.key for step in plan.steps() if step.gate is None and step.key not in ended]
    rows = (
        telling(Attempt.objects.filter(task__status=TaskStatus.COMPLETE))
        .order_by("-task")
        .values("task", "task__step__key", "task__step__version__workflow__slug", "currency")
        .annotate(**SUMS)[:LOOKED_AT]
    )
    same: dict[str, list[Usage]] = {}
    known: list[Usage] = []
    for row in rows:
        used = usage_of(row)
        known.append(used)
        if row["task__step__version__workflow__slug"] == workflow:
            same.setdefault(row["task__step__key"], []).append(used)
    return likely_usage(keys, same, known, plan.budget)
