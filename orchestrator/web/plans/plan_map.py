"""The map of a version before it runs: on its review, and on a page of its own when it is large (WF-3)."""

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.rehearsing.preview import DEFAULT_EXECUTORS, Preview
from orchestrator.core.plans.rehearsing.rehearsed_map import rehearsed_map
from orchestrator.models import WorkflowVersion
from orchestrator.queries.plans import plans as queries
from orchestrator.queries.plans.readings import preview_of, reading_of
from orchestrator.web.charts.maps import MOST_INLINE, MapView
from orchestrator.web.show import show


def map_of(
    version: WorkflowVersion, plan: Plan | None, effect: Preview | None, page: str = ""
) -> MapView | None:
    """None when nothing in the plan can be scheduled."""
    if plan is None or effect is None:
        return None
    base = reverse("plan-review", args=[version.workflow.slug, version.number])

    def address(key: str) -> str:
        """The review marks the step that is asked for: what follows the key is the same in all addresses."""
        return f"{base}?step={quote(key, safe='')}#asked"

    title = f"Map of {version.workflow.name} v{version.number}"
    drawn = rehearsed_map(plan, effect, MOST_INLINE if page else None)
    return MapView(drawn, title, address, page)


def map_page_of(version: WorkflowVersion) -> str:
    return reverse("plan-map", args=[version.workflow.slug, version.number])


@require_GET
def plan_map(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    shown = queries.find_version(slug, version)
    view = map_of(shown, reading_of(shown).plan, preview_of(shown, DEFAULT_EXECUTORS))
    return show(request, "plans/map.html", {"version": shown, "map": view})


urlpatterns: list[Any] = [
    path("plans/<slug:slug>/v<int:version>/map", plan_map, name="plan-map"),
]
