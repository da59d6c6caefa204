"""Blockers: what holds work up, what it costs, and who sees to it (FR-012)."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_GET

from orchestrator.core.engine.impact import Impact
from orchestrator.core.terms import BlockerKind
from orchestrator.models import Blocker
from orchestrator.queries.base.asked import refuse_unknown
from orchestrator.queries.work.blockers import STATES, BlockerFilter, blocker_owners, blocker_rows, blockers
from orchestrator.web.acting import now
from orchestrator.web.csv_export import csv_response, moment
from orchestrator.web.show import show

PER_PAGE = 50


@require_GET
def blocker_list(request: HttpRequest) -> HttpResponseBase:
    """The filtered list, or with `?format=csv` the same rows as a file."""
    wanted = BlockerFilter.from_query(request.GET)
    found = blockers(wanted)
    if request.GET.get("format") == "csv":
        refuse_unknown(wanted.unknown)
        return csv_response("blockers", HEADER, _cells(list(found)))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "wanted": wanted,
        "states": STATES,
        "kinds": list(BlockerKind),
        "owners": blocker_owners(),
        "sort": wanted.sort,
        "unknown": wanted.unknown,
        "page_obj": page,
        "rows": blocker_rows(page.object_list, now()),
    }
    return show(request, "blockers/list.html", context, parts=frozenset({"results"}))


HEADER = (
    "workstream",
    "task",
    "class",
    "note",
    "owner",
    "declared by",
    f"declared ({settings.PROJECT_TIME_ZONE})",
    "resolved by",
    f"resolved ({settings.PROJECT_TIME_ZONE})",
    "resolution",
    "minutes open",
    "tasks delayed",
    "estimated minutes delayed",
    "critical path",
)


def _cells(found: list[Blocker]) -> Iterator[tuple[object, ...]]:
    for row in blocker_rows(found, now()):
        one, impact = row.blocker, row.impact
        yield (
            one.task.workstream.title,
            one.task.step.key,
            one.kind,
            one.note,
            one.owner.get_username(),
            one.declared_as,
            moment(one.declared_at),
            one.resolved_as,
            moment(one.resolved_at),
            one.resolution,
            int(row.lasted.total_seconds() // 60),
            *_impact_cells(impact),
        )


def _impact_cells(impact: Impact | None) -> tuple[str | int, ...]:
    if impact is None:
        return "", "", ""
    return len(impact.delayed), impact.minutes, "yes" if impact.critical else "no"


urlpatterns: list[Any] = [path("blockers/", blocker_list, name="blockers")]
