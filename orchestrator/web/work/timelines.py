"""Timelines on pages of their own: of a workstream, and of an executor (FR-002, FR-012)."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import NotFound
from orchestrator.models import Executor, Task
from orchestrator.queries.engine.explanations import explained
from orchestrator.queries.work.tasks import find_workstream
from orchestrator.queries.work.timeline import timeline_of, timeline_of_executor
from orchestrator.web.acting import now, number_in
from orchestrator.web.charts.timeline import timeline_chart
from orchestrator.web.show import part_asked, show
from orchestrator.web.zone import project_zone

PART = frozenset({"timeline-here"})


def _address(task: Task) -> str:
    return reverse("task", args=[task.workstream.uuid, task.step.key])


@require_GET
def workstream_timeline(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The page, or the drawing alone when the workstream's page opens it."""
    found, moment = find_workstream(uuid), now()
    timeline = timeline_of(explained(found, moment), moment)
    chart = timeline_chart(
        timeline,
        moment,
        lambda task: _step(found.uuid, task),
        str(found),
        number_in(request.GET.get("lanes", "")),
    )
    asked = part_asked(request, PART)
    template = "timelines/chart.html" if asked else "timelines/workstream.html"
    scope = f"Times in {project_zone().key}"
    context = {
        "workstream": found,
        "chart": chart,
        "scope": scope,
        "parts_at": reverse("workstream-timeline", args=[uuid]),
    }
    return show(request, template, context)


def _step(uuid: UUID, task: Task) -> str:
    return reverse("task", args=[uuid, task.step.key])


@require_GET
def executor(request: HttpRequest, name: str) -> HttpResponse:
    """Who it is, what it holds, and what it did when."""
    found = Executor.objects.select_related("user").filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no executor {name[:80]}.")
    moment = now()
    held = found.assignments.filter(released_at=None).select_related("attempt__task__step")
    context = {
        "executor": found,
        "held": list(held.select_related("attempt__task__workstream").order_by("claimed_at")[:50]),
        "chart": timeline_chart(
            timeline_of_executor(found), moment, _address, found.name, number_in(request.GET.get("lanes", ""))
        ),
        "scope": f"Attempts of {found.name}, by workstream; times in {project_zone().key}",
        "now": moment,
    }
    return show(request, "timelines/executor.html", context)


urlpatterns: list[Any] = [
    path("workstreams/<uuid:uuid>/timeline/", workstream_timeline, name="workstream-timeline"),
    path("executors/<slug:name>/", executor, name="executor"),
]
