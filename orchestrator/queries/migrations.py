"""What a proposed version would change in work that is under way (FR-016)."""

from dataclasses import dataclass

from orchestrator.core.plan import Plan
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Task, WorkflowVersion, Workstream


@dataclass(frozen=True, slots=True)
class InFlight:
    """Step keys that stay with their state, that are added, and that are dropped."""

    kept: tuple[str, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]


def in_flight(workstream: Workstream, version: WorkflowVersion, plan: Plan | None) -> InFlight | None:
    """None when the workstream has no tasks yet, or the version is the one in force."""
    if workstream.status != WorkstreamStatus.ACTIVE or version.pk == workstream.version_id or plan is None:
        return None
    current = Task.objects.filter(workstream=workstream, step__version=workstream.version_id)
    old = list(current.order_by("pk").values_list("step__key", flat=True))
    new = [step.key for step in plan.steps()]
    return InFlight(
        kept=tuple(key for key in old if key in set(new)),
        added=tuple(key for key in new if key not in set(old)),
        dropped=tuple(key for key in old if key not in set(new)),
    )
