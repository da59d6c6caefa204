"""Collected files: what became of results that executors committed themselves (FR-029)."""

from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import ResultFileState
from orchestrator.queries.base.asked import Asked
from orchestrator.queries.handoff.collected import collected_files, labels_of
from orchestrator.services.work.collector import collect_now
from orchestrator.web.acting import act_of, does, filtered, filters_of, now, perform, viewer
from orchestrator.web.show import show

PER_PAGE = 50
#: What the list may be asked for alone.
STATES = (ResultFileState.QUARANTINED.value,)


@require_GET
def collected(request: HttpRequest) -> HttpResponse:
    return collected_page(request)


@act_of("collected")
def collect(request: HttpRequest) -> HttpResponse:
    look, again = partial(_look, request), partial(collected_page, request)
    return perform(request, look, then=filtered(request, "collected"), again=again, several=True)


@does(collect_now)
def _look(request: HttpRequest) -> str:
    looked = collect_now(actor=viewer(request).actor, now=now())
    return f"Looked at {looked} new file{'' if looked == 1 else 's'}."


def collected_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    """With `?state=quarantined` only those that changed nothing."""
    asked = Asked(request.GET)
    only = asked.one_of("state", STATES, STATES) != ""
    files = collected_files(ResultFileState.QUARANTINED if only else None)
    page = Paginator(files, PER_PAGE).get_page(request.GET.get("page"))
    labels = labels_of(page.object_list)
    context = {
        "page_obj": page,
        "files": [
            (file, labels.get(file.executor, f"{file.executor} (nobody's)")) for file in page.object_list
        ],
        "quarantined_only": only,
        "unknown": asked.unknown,
        "asked_for": filters_of(request),
        "why_not": viewer(request).lacks(collect_now),
    }
    return show(request, "collected/page.html", context, refusal=refusal)


urlpatterns: list[Any] = [
    path("collected/", collected, name="collected"),
    path("collected/now", collect, name="collect"),
]
