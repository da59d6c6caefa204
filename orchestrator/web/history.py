"""Every change: who, what, why and when; of one workstream or of all (FR-009)."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from orchestrator.models import HistoryEntry, Workstream
from orchestrator.queries.base.asked import refuse_unknown
from orchestrator.queries.base.history import Trail, first_word, step_keys
from orchestrator.web.csv_export import csv_response, moment
from orchestrator.web.show import show
from orchestrator.web.zone import project_zone

PAGE_SIZE = 100


@require_safe
def history(request: HttpRequest) -> HttpResponseBase:
    return _show(request, Trail.read(request.GET, project_zone()))


@require_safe
def workstream_history(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    workstream = get_object_or_404(Workstream, uuid=uuid)
    return _show(request, Trail.read(request.GET, project_zone(), workstream))


def _show(request: HttpRequest, trail: Trail) -> HttpResponseBase:
    if request.GET.get("format") == "csv":
        refuse_unknown(trail.unknown)
        header = (
            "sequence",
            f"when ({settings.PROJECT_TIME_ZONE})",
            "who",
            "account",
            "kind",
            "what",
            "subject",
            "why",
            "proof",
            "place",
        )
        name = f"history-{trail.workstream.slug}" if trail.workstream else "history"
        return csv_response(name, (*header, "workstream", "corrects", "hash", "previous_hash"), _cells(trail))
    page = Paginator(trail.entries, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "trail": trail,
        "page_obj": page,
        "entries": _linked(page.object_list),
        "choices": trail.choices(),
        "workstream": trail.workstream,
        "unknown": trail.unknown,
    }
    return show(request, "history/page.html", context, parts=frozenset({"trail"}))


def _linked(entries: Iterable[HistoryEntry]) -> list[tuple[HistoryEntry, str]]:
    """Each entry with the address of what it is about."""
    read = list(entries)
    steps = step_keys(read)
    return [(entry, _address(entry, steps)) for entry in read]


def _address(entry: HistoryEntry, steps: set[tuple[int, str]]) -> str:
    if entry.workstream is None:
        return reverse("policies") if entry.action.startswith("policy") else ""
    key = first_word(entry.subject)
    if (entry.workstream.pk, key) in steps:
        return reverse("task", args=[entry.workstream.uuid, key])
    return reverse("workstream", args=[entry.workstream.uuid])


def _cells(trail: Trail) -> Iterator[tuple[object, ...]]:
    for sequence, recorded_at, *said in trail.columns:
        yield (sequence, moment(recorded_at), *said)


urlpatterns = [
    path("history/", history, name="history"),
    path("workstreams/<uuid:uuid>/history/", workstream_history, name="workstream-history"),
]
