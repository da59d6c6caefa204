"""From a row of the administration to the page of the product that shows it."""

from collections.abc import Callable
from typing import Any, Final

from django.db.models import Model
from django.urls import reverse

from orchestrator.models import (
    AccessToken,
    Attempt,
    Executor,
    HandoffArtifact,
    HistoryEntry,
    Policy,
    Step,
    Task,
    Workflow,
    WorkflowVersion,
    Workstream,
)

PAGES: Final[dict[type[Model], Callable[[Any], str | None]]] = {
    Workstream: lambda row: reverse("workstream", args=[row.uuid]),
    Task: lambda row: reverse("task", args=[row.workstream.uuid, row.step.key]),
    Attempt: lambda row: page_of(row.task),
    HandoffArtifact: lambda row: page_of(row.attempt),
    Workflow: lambda row: reverse("plan-latest", args=[row.slug]),
    WorkflowVersion: lambda row: reverse("plan-review", args=[row.workflow.slug, row.number]),
    Step: lambda row: page_of(row.version),
    HistoryEntry: lambda row: f"{reverse('history')}?upto={row.sequence}#entry-{row.sequence}",
    Executor: lambda row: reverse("executor", args=[row.name]),
    AccessToken: lambda row: page_of(row.executor),
    Policy: lambda _row: reverse("policies"),
}


def page_of(row: Model) -> str | None:
    """None for a row that no page shows by itself."""
    return PAGES.get(type(row), _of_its_owner)(row)


def _of_its_owner(row: Model) -> str | None:
    """The page of the task or workstream that a row belongs to."""
    for name in ("task", "workstream"):
        owner = getattr(row, name, None)
        if isinstance(owner, Task | Workstream):
            return page_of(owner)
    return None
