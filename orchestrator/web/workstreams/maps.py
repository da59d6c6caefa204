"""The map of a workstream: on its page, and on a page of its own when it is large (FR-002)."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.models import Workstream
from orchestrator.queries.engine.explanations import Explained, explained
from orchestrator.queries.engine.present import present_in
from orchestrator.queries.work.tasks import TaskRow, find_workstream, task_rows
from orchestrator.queries.workstreams.live_map import live_map
from orchestrator.web.acting import now
from orchestrator.web.charts.maps import MOST_INLINE, MapView
from orchestrator.web.show import show


def map_of(known: Explained, rows: list[TaskRow], following: str = "", page: str = "") -> MapView | None:
    """The map with its links; `page` is where it stands alone."""
    plan = live_map(known, rows, following, MOST_INLINE if page else None)
    if plan is None:
        return None
    base = reverse("workstream", args=[known.workstream.uuid])
    title = f"Map of {known.workstream.title}"
    return MapView(plan, title, lambda key: f"{base}tasks/{quote(key, safe='')}/", page)


def map_page_of(workstream: Workstream) -> str:
    return reverse("workstream-map", args=[workstream.uuid])


@require_GET
def workstream_map(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = find_workstream(uuid)
    known = explained(found, now())
    rows = task_rows(found, known, dropped=present_in(found).dropped)
    view = map_of(known, rows)
    return show(request, "workstreams/map.html", {"workstream": found, "map": view})


urlpatterns: list[Any] = [
    path("workstreams/<uuid:uuid>/map/", workstream_map, name="workstream-map"),
]
