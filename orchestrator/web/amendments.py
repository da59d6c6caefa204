"""Add a stage to work in flight: a fix stage behind an evaluation, or tasks for gaps (WF-5, LC-3)."""

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from orchestrator.core.errors import Refusal
from orchestrator.models import Workstream
from orchestrator.queries.tasks import find_workstream
from orchestrator.services.amendments import PROPOSERS, propose_stage
from orchestrator.web.acting import now, proceed, show, typed, viewer


@require_http_methods(["GET", "HEAD", "POST"])
def new_stage(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The form; a POST submits a new version with the stage and leads to its review."""
    found = find_workstream(uuid)
    if request.method != "POST":
        return _form(request, found)
    again = partial(_form, request, found)
    try:
        submission = propose_stage(
            workstream=found,
            name=typed(request, "name"),
            tasks=typed(request, "tasks"),
            reason=typed(request, "reason"),
            gate_key=typed(request, "gate"),
            actor=viewer(request).actor,
            now=now(),
        )
    except Refusal as refusal:
        return again(refusal)
    version = submission.version
    said = f"Version {version.number} with the new stage waits for approval; work goes on under the approved version."
    return proceed(request, said, reverse("plan-review", args=[version.workflow.slug, version.number]))


def _form(request: HttpRequest, found: Workstream, refusal: Refusal | None = None) -> HttpResponse:
    given = request.POST or request.GET
    context = {
        "workstream": found,
        "gate": given.get("gate", ""),
        "name": given.get("name", ""),
        "tasks": given.get("tasks", ""),
        "reason": given.get("reason", ""),
        "why_not": viewer(request).lacks(*PROPOSERS),
    }
    return show(request, "workstreams/new_stage.html", context, refusal=refusal)


urlpatterns = [path("workstreams/<uuid:uuid>/new-stage/", new_stage, name="new-stage")]
