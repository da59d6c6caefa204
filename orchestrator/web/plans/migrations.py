"""Versions in flight: map the steps, check, apply; roll back (FR-016, EC-4)."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods

from orchestrator.core.errors import InvalidInput, Refusal
from orchestrator.core.terms import VersionStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import last_migration
from orchestrator.queries.changes.roll_backs import ways_back
from orchestrator.queries.plans.plans import find_version, workstream_of
from orchestrator.queries.plans.sign_offs import sign_offs
from orchestrator.queries.work.tasks import find_workstream
from orchestrator.services.changes import migration as service
from orchestrator.services.changes.roll_back import roll_back, why_not_roll_back
from orchestrator.services.review import decisions
from orchestrator.web.acting import Viewer, act_of, does, now, number, off, perform, typed, viewer
from orchestrator.web.moments import typed_moment, wanted_moment
from orchestrator.web.plans import mapping_form, plan_decisions
from orchestrator.web.show import show


@require_http_methods(["GET", "HEAD", "POST"])
def migration(request: HttpRequest, uuid: UUID, version: int) -> HttpResponse:
    """The mapping, a line per step. Check shows the verdicts and stores nothing; apply or approve does it."""
    found = find_workstream(uuid)
    wanted = find_version(found.version.workflow.slug, version)
    if request.method != "POST":
        return _page(request, found, wanted)
    act = request.POST.get("act")
    if act == "check":
        return _page(request, found, wanted, checked=True)
    return perform(
        request,
        partial(_approve if act == "approve" else _apply, request, found, wanted),
        then=partial(plan_decisions.after, wanted),
        again=partial(_page, request, found, wanted, checked=True),
    )


@does(service.migrate_workstream)
def _apply(request: HttpRequest, found: Workstream, wanted: WorkflowVersion) -> str:
    service.migrate_workstream(
        workstream_id=found.pk,
        version_id=wanted.pk,
        mapping=mapping_form.lines(_fields(request)),
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )
    return f"{found.title} goes on under version {wanted.number}."


@does(decisions.approve_version)
def _approve(request: HttpRequest, found: Workstream, wanted: WorkflowVersion) -> str:
    if workstream_of(wanted).pk != found.pk:
        raise InvalidInput(
            "This version was submitted for another workstream: approve it there, then migrate."
        )
    decisions.approve_version(
        version_id=wanted.pk,
        seen_sha256=typed(request, "seen_sha256"),
        mapping=mapping_form.lines(_fields(request)),
        note=typed(request, "reason"),
        effective_at=typed_moment(request, "effective_at"),
        withdraw_seconds=settings.WITHDRAW_SECONDS,
        actor=viewer(request).actor,
        now=now(),
    )
    so_far = plan_decisions.not_yet(wanted.pk)
    return so_far or f"Version {wanted.number} is approved with this mapping."


def _fields(request: HttpRequest) -> Mapping[str, str]:
    return {name: typed(request, name) for name in request.POST if name.startswith(mapping_form.FIELDS)}


def _page(
    request: HttpRequest,
    found: Workstream,
    wanted: WorkflowVersion,
    refusal: Refusal | None = None,
    *,
    checked: bool = False,
) -> HttpResponse:
    fields = _kept_fields(request) if checked else None
    form = mapping_form.fill(found, wanted, fields)
    who, in_review = viewer(request), wanted.status == VersionStatus.IN_REVIEW
    context = {
        "workstream": found,
        "version": wanted,
        "form": form,
        "checked": checked,
        "in_review": in_review,
        "reason": request.POST.get("reason", ""),
        "effective_at": request.POST.get("effective_at", "" if checked else wanted_moment(wanted, now())),
        "why_not": (_why_not_approve if in_review else _why_not_apply)(who, found, wanted),
    }
    return show(request, "migrations/page.html", context, parts=frozenset({"mapping"}), refusal=refusal)


def _kept_fields(request: HttpRequest) -> Mapping[str, str]:
    """What was typed, without what no column could hold: the refusal beside the form names it."""
    try:
        return _fields(request)
    except Refusal:
        return {}


def _why_not_apply(who: Viewer, found: Workstream, wanted: WorkflowVersion) -> str:
    return off(service.why_not_migrate(found, wanted, who.actor, now()))


def _why_not_approve(who: Viewer, found: Workstream, wanted: WorkflowVersion) -> str:
    """The version in review is approved with the mapping, which brings the workstream to it."""
    return off(
        service.why_no_other_version(found, wanted)
        or decisions.why_not_approve_version(wanted, found, who.actor, sign_offs(wanted))
    )


@require_GET
def roll_back_page(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """What rolling the latest migration back would do, item by item, with the form that does it."""
    return _way_back(request, uuid)


def _way_back(request: HttpRequest, uuid: UUID, refusal: Refusal | None = None) -> HttpResponse:
    found = find_workstream(uuid)
    latest = last_migration(found)
    context = {
        "workstream": found,
        "migration": latest,
        "verdicts": ways_back(found, latest) if latest else (),
        "why_not": off(why_not_roll_back(found, viewer(request).actor)),
    }
    return show(request, "migrations/roll_back.html", context, refusal=refusal)


@act_of("roll-back", "uuid")
def roll_back_act(request: HttpRequest, uuid: UUID) -> HttpResponse:
    do, again = partial(_roll_back, request), partial(_way_back, request, uuid)
    return perform(request, do, then=reverse("workstream", args=[uuid]), again=again)


@does(roll_back)
def _roll_back(request: HttpRequest) -> str:
    done = roll_back(
        migration_id=number(request, "migration"),
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )
    return f"The migration is rolled back: work goes on under version {done.to_version.number}."


urlpatterns: list[Any] = [
    path("workstreams/<uuid:uuid>/migrate/<int:version>/", migration, name="migration"),
    path("workstreams/<uuid:uuid>/roll-back/", roll_back_page, name="roll-back"),
    path("workstreams/<uuid:uuid>/roll-back/act", roll_back_act, name="roll-back-act"),
]
