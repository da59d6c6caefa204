"""The versions of a plan: what each changed, why, what was decided, who works by it (FR-016, FR-022)."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from orchestrator.models import WorkflowVersion
from orchestrator.queries.changes.plan_versions import PER_PAGE, version_rows
from orchestrator.queries.plans.plans import find_version, workstream_of
from orchestrator.services.plans.plans import why_not_submit
from orchestrator.services.plans.saved_workflows import why_not_saved
from orchestrator.web.acting import now, off, viewer
from orchestrator.web.show import show


@require_GET
def plan_versions(request: HttpRequest, slug: str) -> HttpResponse:
    """Newest first, with links to compare any two, to revise from any and to migrate work in flight."""
    newest = find_version(slug)
    workflow, workstream = newest.workflow, workstream_of(newest)
    versions = (
        WorkflowVersion.objects.filter(workflow=workflow)
        .select_related("author", "decided_by", "workflow")
        .prefetch_related("approvals__person")
        .order_by("-number")
    )
    page = Paginator(versions, PER_PAGE).get_page(request.GET.get("page"))
    who = viewer(request)
    context = {
        "workflow": workflow,
        "newest": newest,
        "workstream": workstream,
        "page_obj": page,
        "rows": version_rows(workflow, list(page.object_list), now()),
        "numbers": list(versions.values_list("number", flat=True)),
        "why_not_revise": off(why_not_submit(workstream, who.actor)),
        "can_save": [version.pk for version in page.object_list if not why_not_saved(version)],
    }
    return show(request, "plans/versions.html", context)


urlpatterns: list[Any] = [path("plans/<slug:slug>/", plan_versions, name="plan-latest")]
