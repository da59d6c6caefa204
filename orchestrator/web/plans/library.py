"""The library of workflows: look them up, start a workstream from one, archive one (AD-8, FR-001)."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods

from orchestrator.core.errors import PlanRejected, Refusal
from orchestrator.core.terms import Format
from orchestrator.queries.base.asked import Asked
from orchestrator.queries.plans import library as queries
from orchestrator.queries.plans import plans as plan_queries
from orchestrator.queries.plans.judged import judged
from orchestrator.queries.plans.readings import checked
from orchestrator.services.base.form_keys import Made
from orchestrator.services.plans import saved_workflows as service
from orchestrator.services.plans.templates import source_with_values
from orchestrator.web.acting import act_of, chosen, does, now, number_in, off, perform, proceed, typed, viewer
from orchestrator.web.moments import typed_moment
from orchestrator.web.once import once
from orchestrator.web.show import show

#: A field with the value of a parameter is called by this and the parameter's name.
VALUE = "value-"
#: Characters of the words that are looked for.
MOST_WORDS = 100


@require_GET
def library(request: HttpRequest) -> HttpResponse:
    """Every workflow that work can be started from.

    `?q=` looks for words, `?archived=1` shows archived ones too.
    """
    asked = Asked(request.GET, beside=("archived",))
    words, archived = asked.text("q", MOST_WORDS), request.GET.get("archived") == "1"
    context = {
        "entries": queries.library(words, archived=archived),
        "words": words,
        "archived": archived,
        "unknown": asked.unknown,
        "may_not_start": viewer(request).lacks(service.start_from_workflow),
    }
    return show(request, "library/list.html", context)


@require_GET
def entry(request: HttpRequest, name: str) -> HttpResponse:
    return _entry_page(request, name)


def _entry_page(request: HttpRequest, name: str, refusal: Refusal | None = None) -> HttpResponse:
    number = request.GET.get("version", "")
    found = queries.find_entry(name, number_in(number) or None)
    plan = queries.plan_with_names(found.source)
    who = viewer(request)
    context = {
        "entry": found,
        "plan": plan,
        "versions": queries.versions_saved(name),
        "started": queries.plans_started(name),
        "may_not_start": off(service.why_not_start(found, who.actor)),
        "may_not_archive": who.lacks(service.archive_workflow),
        "reason": request.POST.get("reason", ""),
    }
    return show(request, "library/entry.html", context, refusal=refusal)


@act_of("library-entry", "name")
def archive(request: HttpRequest, name: str, act: str) -> HttpResponse:
    """Take a saved workflow out of the library, or put it back."""
    do, again = partial(chosen(ACTS, act), request, name), partial(_entry_page, request, name)
    return perform(request, do, then=reverse("library-entry", args=[name]), again=again)


@does(service.archive_workflow)
def _archive(request: HttpRequest, name: str) -> str:
    reason = typed(request, "reason")
    done = service.archive_workflow(name=name, reason=reason, actor=viewer(request).actor, now=now())
    return f"{done} is archived; nothing new starts from it."


@does(service.bring_back_workflow)
def _bring_back(request: HttpRequest, name: str) -> str:
    reason = typed(request, "reason")
    done = service.bring_back_workflow(name=name, reason=reason, actor=viewer(request).actor, now=now())
    return f"{done} is back."


ACTS: Final = {"archive": _archive, "bring-back": _bring_back}


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, name: str) -> HttpResponse:
    """The parameters as a form.

    Preview shows what a reviewer would see, Submit sends the plan to its review.
    """
    found = queries.find_entry(name)
    if request.method != "POST":
        return _start_page(request, found)
    if request.POST.get("act") == "preview":
        try:
            return _start_page(
                request, found, source=source_with_values(found.source, _values(request, found))
            )
        except Refusal as refusal:
            return _start_page(request, found, refusal)
    return _started(request, found)


def _started(request: HttpRequest, found: queries.LibraryEntry) -> HttpResponse:
    values: dict[str, str] = {}
    try:
        values = _values(request, found)
        made = once(request, partial(_start, request, found, values))
    except PlanRejected as refusal:
        return _start_page(request, found, refusal, source=source_with_values(found.source, values))
    except Refusal as refusal:
        return _start_page(request, found, refusal)
    return proceed(request, made)


@does(service.start_from_workflow)
def _start(request: HttpRequest, found: queries.LibraryEntry, values: Mapping[str, str]) -> Made:
    done = service.start_from_workflow(
        name=found.name,
        values=values,
        wanted_effective_at=typed_moment(request, "wanted_effective_at"),
        actor=viewer(request).actor,
        now=now(),
    )
    then = reverse("plan-review", args=[done.version.workflow.slug, done.version.number])
    return Made(f"{done.workstream.title} is submitted from {found.title} and waits for review.", then)


def _values(request: HttpRequest, found: queries.LibraryEntry) -> dict[str, str]:
    return {parameter.name: typed(request, f"{VALUE}{parameter.name}") for parameter in found.parameters}


def _start_page(
    request: HttpRequest, found: queries.LibraryEntry, refusal: Refusal | None = None, source: bytes = b""
) -> HttpResponse:
    given, review = request.POST, None
    if source:
        review = plan_queries.lay_out(source.decode(), judged(checked(source, Format.PLAN)))
    context = {
        "entry": found,
        "parameters": [
            replace(parameter, value=given.get(f"{VALUE}{parameter.name}", parameter.value))
            for parameter in found.parameters
        ],
        "review": review,
        "wanted_effective_at": given.get("wanted_effective_at", ""),
        "may_not_start": off(service.why_not_start(found, viewer(request).actor)),
    }
    return show(request, "library/start.html", context, parts=frozenset({"starting"}), refusal=refusal)


urlpatterns: list[Any] = [
    path("library/", library, name="library"),
    path("library/<slug:name>/", entry, name="library-entry"),
    path("library/<slug:name>/start/", start, name="library-start"),
    path("library/<slug:name>/act/<slug:act>", archive, name="library-act"),
]
