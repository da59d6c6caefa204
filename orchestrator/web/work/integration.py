"""What would be merged into the base branch, as a diff, and the button that merges it (FR-010, BX-3)."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Workstream
from orchestrator.queries.gates.integration import OFF, how_integrated, merge_preview
from orchestrator.queries.work.tasks import find_task, find_workstream
from orchestrator.services.handoff.integrating import merge_work, why_not_merge
from orchestrator.web.acting import act_of, does, now, off, perform, typed, viewer
from orchestrator.web.show import show


@require_GET
def merge_page(request: HttpRequest, uuid: UUID) -> HttpResponse:
    return _page(request, find_workstream(uuid))


@act_of("workstream-merge", "uuid")
def merge_act(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = find_workstream(uuid)
    return perform(
        request,
        lambda: _merge(request, found),
        then=reverse("workstream", args=[uuid]),
        again=lambda refusal: _page(request, found, refusal),
        several=True,
    )


@does(merge_work)
def _merge(request: HttpRequest, found: Workstream) -> str:
    return merge_work(
        workstream_id=found.pk, seen=typed(request, "seen"), actor=viewer(request).actor, now=now()
    )


def _page(request: HttpRequest, found: Workstream, refusal: Refusal | None = None) -> HttpResponse:
    """With `?gate=KEY` only what came to that gate; then there is nothing to press."""
    key = request.GET.get("gate", "")
    gate = find_task(found, key) if key else None
    who = viewer(request)
    context = {
        "workstream": found,
        "gate": gate,
        "merge": merge_preview(found, gate),
        "is_on": how_integrated() != OFF and found.status != WorkstreamStatus.ARCHIVED,
        "why_not": off(why_not_merge(found, who.actor)),
    }
    return show(request, "workstreams/merge.html", context, refusal=refusal)


urlpatterns = [
    path("workstreams/<uuid:uuid>/merge/", merge_page, name="workstream-merge"),
    path("workstreams/<uuid:uuid>/merge/act", merge_act, name="workstream-merge-act"),
]
