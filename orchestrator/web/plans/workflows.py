"""A workflow's workstreams in flight and its change log (FR-001, FR-016, FR-022)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.changes.judge import Judgement
from orchestrator.core.errors import InvalidInput, NotFound, Refusal
from orchestrator.models import Workflow, WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import in_flight, versions_in_effect, workstreams_in_flight
from orchestrator.queries.plans.change_log import LoggedChange, change_log
from orchestrator.queries.plans.readings import plan_of
from orchestrator.services.base.form_keys import Made
from orchestrator.services.changes.migration import Migrated, migrate_several
from orchestrator.services.plans.starting import start_workstream
from orchestrator.web.acting import act_of, does, now, perform, proceed, typed, viewer
from orchestrator.web.csv_export import csv_response, moment
from orchestrator.web.once import once
from orchestrator.web.show import show

COLUMNS = (
    "when",
    "what",
    "version",
    "who",
    "reason",
    "impact",
    "steps",
    "workstream",
    "wanted from",
    "effective from",
)


@dataclass(frozen=True, slots=True)
class Flight:
    """A workstream in flight with the dry run for the wanted version; None when it follows that one."""

    workstream: Workstream
    judgement: Judgement | None


def find_workflow(slug: str) -> Workflow:
    workflow = Workflow.objects.filter(slug=slug).first()
    if workflow is None:
        raise NotFound(f"There is no workflow {slug}.")
    return workflow


@require_GET
def flights(request: HttpRequest, slug: str) -> HttpResponse:
    """The workstreams in flight, what the newest version in effect would do to each, and the forms to act."""
    return _page(request, slug)


def _page(
    request: HttpRequest,
    slug: str,
    acted: str = "",
    refusal: Refusal | None = None,
    results: list[Migrated] | None = None,
) -> HttpResponse:
    workflow = find_workflow(slug)
    wanted = next(iter(versions_in_effect(workflow.pk, now())), None)
    who = viewer(request)
    found = list(_flights(workflow, wanted))
    context = {
        "workflow": workflow,
        "wanted": wanted,
        "flights": found,
        "can_migrate": any(flight.judgement for flight in found),
        "results": results or [],
        "acted": acted,
        "chosen": set(request.POST.getlist("workstream")),
        "title": request.POST.get("title", ""),
        "reason": request.POST.get("reason", ""),
        "why_not": {"start": who.lacks(start_workstream), "migrate": who.lacks(migrate_several)},
    }
    return show(request, "workflows/workstreams.html", context, refusal=refusal)


def _flights(workflow: Workflow, wanted: WorkflowVersion | None) -> Iterator[Flight]:
    plan = plan_of(wanted) if wanted else None
    for workstream in workstreams_in_flight(workflow.pk):
        yield Flight(workstream, in_flight(workstream, wanted, plan) if wanted else None)


@act_of("workflow-workstreams", "slug")
def start(request: HttpRequest, slug: str) -> HttpResponse:
    do, again = partial(_start, request, slug), partial(_page, request, slug, "start")
    return perform(request, do, then=reverse("workflow-workstreams", args=[slug]), again=again)


@does(start_workstream)
def _start(request: HttpRequest, slug: str) -> str:
    title = typed(request, "title")
    begun = start_workstream(workflow=slug, title=title, actor=viewer(request).actor, now=now())
    return f"{begun.title} is registered. Its pre-handoff review has to be signed before work starts."


@act_of("workflow-workstreams", "slug")
def migrate(request: HttpRequest, slug: str) -> HttpResponse:
    """Migrate what is ticked, each in a transaction of its own; the page then says what came of each."""
    results: list[Migrated] = []

    def make() -> Made:
        results.extend(_migrated(request, slug))
        done = sum(one.migration is not None for one in results)
        said = f"{done} of {len(results)} workstreams are migrated."
        return Made(said, reverse("workflow-workstreams", args=[slug]))

    try:
        made = once(request, make, several=True)
    except Refusal as refusal:
        return _page(request, slug, "migrate", refusal)
    return _page(request, slug, "migrate", results=results) if results else proceed(request, made)


@does(migrate_several)
def _migrated(request: HttpRequest, slug: str) -> list[Migrated]:
    return migrate_several(
        workstreams=_ticked(request, slug),
        version_id=_wanted(request, slug).pk,
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )


def _ticked(request: HttpRequest, slug: str) -> list[Workstream]:
    wanted = set(request.POST.getlist("workstream"))
    return [
        workstream
        for workstream in workstreams_in_flight(find_workflow(slug).pk)
        if workstream.slug in wanted
    ]


def _wanted(request: HttpRequest, slug: str) -> WorkflowVersion:
    """The version that the page showed, so that nobody migrates to one that was approved meanwhile."""
    shown = typed(request, "version")
    for version in versions_in_effect(find_workflow(slug).pk, now()):
        if str(version.number) == shown:
            return version
    raise InvalidInput(
        f"Version {shown[:10] or '?'} is not in effect.", recovery="Reload the page.", field="version"
    )


@require_GET
def changes(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every version, decision, migration and roll back, newest first; `?format=csv` exports them."""
    workflow = find_workflow(slug)
    entries = change_log(workflow)
    if request.GET.get("format") == "csv":
        return csv_response(f"{slug}-changes", COLUMNS, map(_cells, entries))
    return show(request, "workflows/changes.html", {"workflow": workflow, "entries": entries})


def _cells(entry: LoggedChange) -> tuple[object, ...]:
    said = (moment(entry.at), entry.what, entry.version, entry.who, entry.reason)
    dates = (moment(entry.wanted_at), moment(entry.effective_at))
    return (*said, entry.note, entry.impact.sentence, entry.workstream, *dates)


urlpatterns: list[Any] = [
    path("plans/<slug:slug>/workstreams/", flights, name="workflow-workstreams"),
    path("plans/<slug:slug>/workstreams/start", start, name="workflow-start"),
    path("plans/<slug:slug>/workstreams/migrate", migrate, name="workflow-migrate"),
    path("plans/<slug:slug>/changes/", changes, name="workflow-changes"),
]
