"""How a version will run, in full length: launches, threads and gates with any number of executors.

Requirements: WF-3, BX-2.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from orchestrator.core.engine.likely_usage import LikelyUsage
from orchestrator.core.plans.begun import begun_sentence
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.rehearsing.preview import DEFAULT_EXECUTORS, MOST_EXECUTORS
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.plans import plans as queries
from orchestrator.queries.plans.forecasts import forecast_of
from orchestrator.queries.plans.readings import adoption_by, preview_of, reading_of
from orchestrator.web.show import show

_DIGITS = len(str(MOST_EXECUTORS))


def executors_asked(request: HttpRequest) -> int:
    """The number that the address asks for, within what a preview takes; the default without a number."""
    given = request.GET.get("executors", "")
    number = (
        int(given) if given.isascii() and given.isdecimal() and len(given) <= _DIGITS else DEFAULT_EXECUTORS
    )
    return min(max(number, 1), MOST_EXECUTORS)


def begun(version: WorkflowVersion, workstream: Workstream) -> str:
    """How far the version's work is; empty while approval would begin or change it."""
    return begun_sentence(
        workstream.title,
        WorkstreamStatus(workstream.status),
        done_tasks=workstream.done_tasks,
        open_tasks=workstream.open_tasks,
        in_force=version.pk == workstream.version_id,
    )


def forecast_for(version: WorkflowVersion, plan: Plan | None) -> LikelyUsage | None:
    """What the version is likely to use of models; None where nothing in it can be scheduled."""
    return forecast_of(plan, version.workflow.slug, adoption_by(version).ended) if plan else None


@require_GET
def plan_effect(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    """Everything on a page of its own; htmx gets the short form that the review shows."""
    shown = queries.find_version(slug, version)
    adoption = adoption_by(shown)
    reading, effect = reading_of(shown), preview_of(shown, executors_asked(request))
    review = queries.Review(reading, (), effect, forecast=forecast_for(shown, reading.plan))
    context = {
        "version": shown,
        "review": review,
        "whole": True,
        "begun": begun(shown, queries.workstream_of(shown)),
        "adoption": adoption,
        "adopts_state": bool(adoption),
    }
    return show(request, "plans/runs.html", context, parts=frozenset({"preview"}))


urlpatterns: list[Any] = [
    path("plans/<slug:slug>/v<int:version>/runs", plan_effect, name="plan-effect"),
]
