"""The review of a plan that people decide on (WF-3, DC-5)."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import Refusal, VersionMoved
from orchestrator.models import WorkflowVersion
from orchestrator.queries import plans as queries
from orchestrator.queries.migrations import in_flight
from orchestrator.queries.plan_changes import changes, since_last_decision
from orchestrator.queries.sign_offs import sign_offs
from orchestrator.services import plans
from orchestrator.web import plan_decisions, prehandoff
from orchestrator.web.acting import act_of, chosen, perform, proceed, show, viewer


@require_GET
def plan_review(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    return review_page(request, queries.find_version(slug, version))


@act_of("plan-review", "slug", "version")
def plan_decide(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    """Approve, send back or take back exactly the text that was read: version id and hash come from the page."""
    shown = queries.find_version(slug, version)
    again = partial(review_page, request, shown, "decision")
    try:
        said = plan_decisions.decide(request)
    except Refusal as refusal:
        return again(refusal)
    return proceed(request, said, plan_decisions.after(shown))


@act_of("plan-review", "slug", "version")
def plan_prehandoff(request: HttpRequest, slug: str, version: int, act: str) -> HttpResponse:
    """Sign the pre-handoff review, or decide on a suspected duplicate, beside the plan (FR-003, AS-5)."""
    shown = queries.find_version(slug, version)
    do = partial(chosen(prehandoff.ACTS, act), request, queries.workstream_of(shown))
    then = reverse("plan-review", args=[slug, version])
    return perform(request, do, then=then, again=partial(review_page, request, shown, "prehandoff"))


def review_page(
    request: HttpRequest, version: WorkflowVersion, acted: str = "", refusal: Refusal | None = None
) -> HttpResponse:
    """The review; after a refusal with what `acted` typed, and with the newer text when there is one."""
    workstream = queries.workstream_of(version)
    review = queries.lay_out(version.source, plans.read_source(version.source, workstream=workstream))
    versions = queries.versions_of(version)
    who = viewer(request)
    why_not = plan_decisions.why_not(who, version, versions[0], review, workstream)
    context = {
        "version": version,
        "version_label": str(version.number),
        "versions": versions,
        "newest": versions[0],
        "changes": since_last_decision(version, who.user.pk),
        "moved": changes(version, versions[0]) if isinstance(refusal, VersionMoved) else None,
        "review": review,
        "in_flight": in_flight(workstream, version, review.reading.plan),
        "workstream": workstream,
        "prehandoff": prehandoff.section(
            workstream, who, lambda act: reverse("plan-prehandoff", args=[version.workflow.slug, version.number, act])
        ),
        "why_not": why_not,
        "deciding": not (why_not["approve"] and why_not["send_back"] and why_not["withdraw"]),
        "sign_offs": sign_offs(version),
        "reason": request.POST.get("reason") or request.GET.get("reason", ""),
        "effective_at": request.POST.get("effective_at", ""),
        "acted": acted,
    }
    return show(request, "plans/review.html", context, parts=frozenset({"decision", "prehandoff"}), refusal=refusal)


urlpatterns: list[Any] = [
    path("plans/<slug:slug>/v<int:version>/", plan_review, name="plan-review"),
    path("plans/<slug:slug>/v<int:version>/decide", plan_decide, name="plan-decide"),
    path("plans/<slug:slug>/v<int:version>/prehandoff", plan_prehandoff, {"act": "sign"}, name="plan-sign"),
    path("plans/<slug:slug>/v<int:version>/prehandoff/<slug:act>", plan_prehandoff, name="plan-prehandoff"),
]
