"""The review of a plan that people decide on (WF-3, DC-5)."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import Refusal, VersionMoved
from orchestrator.core.terms import Role, VersionStatus, WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries import plans as queries
from orchestrator.queries.migrations import in_flight
from orchestrator.queries.plan_changes import changes, since_last_decision
from orchestrator.services import decisions, plans
from orchestrator.web import prehandoff
from orchestrator.web.acting import Viewer, act_of, chosen, now, number, perform, show, typed, viewer
from orchestrator.web.moments import typed_moment

OPEN = frozenset({WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE})


@require_GET
def plan_review(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    return review_page(request, queries.find_version(slug, version))


@act_of("plan-review", "slug", "version")
def plan_decide(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    """Approve or send back exactly the text that was read: version id and hash come from the page."""
    shown = queries.find_version(slug, version)
    approving = request.POST.get("decision") == "approve"
    workstream = queries.workstream_of(shown)
    then = reverse("workstream", args=[workstream.uuid]) if approving else reverse("plan-review", args=[slug, version])
    again = partial(review_page, request, shown, "decision")
    return perform(request, partial(_decide, request, approving), then=then, again=again)


def _decide(request: HttpRequest, approving: bool) -> str:
    who, reason, version_id = viewer(request).actor, typed(request, "reason"), number(request, "version_id")
    seen = typed(request, "seen_sha256")
    if approving:
        when = typed_moment(request, "effective_at")
        decisions.approve_version(
            version_id=version_id, seen_sha256=seen, actor=who, now=now(), note=reason, effective_at=when
        )
        if when:
            return "The plan is approved. It becomes effective at the time you gave; nothing of it starts before."
        return "The plan is approved: its tasks are created and the first ones start as soon as the rules allow."
    decisions.send_back_version(version_id=version_id, seen_sha256=seen, actor=who, now=now(), reason=reason)
    return "The plan is sent back to its author with your reason."


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
    review = queries.lay_out(version.source, plans.read_version(version, workstream))
    versions = queries.versions_of(version)
    who = viewer(request)
    why_not = _why_not(who, version, versions[0], review, workstream)
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
        "deciding": not (why_not["approve"] and why_not["send_back"]),
        "reason": request.POST.get("reason") or request.GET.get("reason", ""),
        "effective_at": request.POST.get("effective_at", ""),
        "acted": acted,
    }
    return show(request, "plans/review.html", context, parts=frozenset({"decision", "prehandoff"}), refusal=refusal)


def _why_not(
    who: Viewer, version: WorkflowVersion, newest: WorkflowVersion, review: queries.Review, workstream: Workstream
) -> dict[str, str]:
    """Why each control of the review is off for this person; empty text when it is on."""
    settled = _settled(version, newest, workstream)
    own = version.author_id == who.user.pk and not version.workflow.allow_self_approval
    blocked = len(review.blockers)
    return {
        "approve": settled
        or who.lacks(Role.APPROVER)
        or (own and "You wrote this version; another approver has to approve it.")
        or (blocked and "The top of the page says what blocks it and what clears it.")
        or "",
        "send_back": settled or who.lacks(Role.APPROVER, Role.REVIEWER),
        "resubmit": who.lacks(Role.INITIATOR, Role.APPROVER, Role.REVIEWER)
        if workstream.status in OPEN
        else f"The workstream is {workstream.status}; its plan no longer changes.",
    }


def _settled(version: WorkflowVersion, newest: WorkflowVersion, workstream: Workstream) -> str:
    if workstream.status not in OPEN:
        return f"The workstream is {workstream.status}; its plan no longer changes."
    if version.pk != newest.pk:
        return f"Version {newest.number} is newer; decide on that one."
    if version.status != VersionStatus.IN_REVIEW:
        return f"Version {version.number} is already decided: {version.get_status_display().lower()}."
    return ""


urlpatterns: list[Any] = [
    path("plans/<slug:slug>/v<int:version>/", plan_review, name="plan-review"),
    path("plans/<slug:slug>/v<int:version>/decide", plan_decide, name="plan-decide"),
    path("plans/<slug:slug>/v<int:version>/prehandoff", plan_prehandoff, {"act": "sign"}, name="plan-sign"),
    path("plans/<slug:slug>/v<int:version>/prehandoff/<slug:act>", plan_prehandoff, name="plan-prehandoff"),
]
