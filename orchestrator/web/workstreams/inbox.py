"""The first page: what waits for the person who is signed in, what they hold, and what they put off."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path

from orchestrator.core.errors import InvalidInput, Refusal
from orchestrator.queries.base.asked import Asked, refuse_unknown, some_workstream_is_called
from orchestrator.queries.workstreams.inbox import PAGE, SORTS, PersonalInbox, in_hands
from orchestrator.queries.workstreams.inbox_filter import InboxFilter
from orchestrator.queries.workstreams.portfolio import domains
from orchestrator.services.duties import inbox_of
from orchestrator.services.snoozes import snooze
from orchestrator.web.acting import (
    Viewer,
    act_of,
    chosen,
    does,
    filtered,
    filters_of,
    now,
    perform,
    typed,
    viewer,
)
from orchestrator.web.admission import roles_in
from orchestrator.web.csv_export import csv_response, moment
from orchestrator.web.moments import typed_moment
from orchestrator.web.polling import mark_at, unchanged, work_is_open
from orchestrator.web.show import show
from orchestrator.web.workstreams.inbox_bulk import BULK

#: Entries that can be paged through; who has more finds them by a filter, or in the file.
MOST_LISTED: Final = 1000
#: What the page offers beside a time of one's own.
SPANS: Final = {"3h": timedelta(hours=3), "1d": timedelta(days=1), "7d": timedelta(days=7)}
HANDS, SNOOZED = "hands", "snoozed"
VIEWS: Final = (("", "For you"), (HANDS, "In your hands"), (SNOOZED, "Snoozed"))
COLUMNS: Final = "Item|What|Why it is here|Workstream|#Behind it@behind|#Waiting@waiting"


def inbox(request: HttpRequest) -> HttpResponseBase:
    """The list, or with `?format=csv` the same rows as a file."""
    if request.GET.get("format") == "csv":
        asked = Asked(request.GET, {"kind": "What"})
        box = _box(request, asked.one_of("view", (HANDS, SNOOZED)))
        wanted = _wanted(asked, box)
        refuse_unknown(asked.unknown)
        return _as_csv(box, wanted)
    mark = mark_at(now())
    return unchanged(request, "results", mark) or inbox_page(request, mark=mark)


def _box(request: HttpRequest, view: str) -> PersonalInbox:
    """What the address asks for: what waits, what is in one's hands, or what was put off."""
    user = request.user
    if view == HANDS:
        return in_hands(user)  # type: ignore[arg-type]  # everybody here is signed in
    return inbox_of(user, roles_in(request), now(), snoozed=view == SNOOZED)  # type: ignore[arg-type]


def inbox_page(request: HttpRequest, refusal: Refusal | None = None, mark: str = "") -> HttpResponse:
    """`mark` is how things stand, where it was asked already."""
    mark, asked = mark or mark_at(now()), Asked(request.GET, {"kind": "What"})
    view = asked.one_of("view", (HANDS, SNOOZED))
    box = _box(request, view)
    wanted = _wanted(asked, box)
    counted = box.count(wanted, MOST_LISTED + 1)
    page_obj = Paginator(range(min(counted, MOST_LISTED)), PAGE).get_page(request.GET.get("page"))
    items = list(box.page(wanted, (page_obj.number - 1) * PAGE, len(page_obj)))
    context = {
        "inbox": box,
        "items": items,
        "page_obj": page_obj,
        "more": counted > MOST_LISTED,
        "filters": wanted,
        "sort": wanted.sort,
        "mark": mark,
        "live": bool(items) or work_is_open(),
        "unknown": asked.unknown,
        "view": view,
        "views": VIEWS,
        "columns": f"(Choose)|{COLUMNS}",
        "asked_for": filters_of(request),
        "hold": any(item.section.kind == "held" for item in items),
        "domains": _domains(),
        "now": now(),
        "polled": bool(request.htmx),  # type: ignore[attr-defined]
    }
    return show(request, "inbox/page.html", context, parts=frozenset({"results"}), refusal=refusal)


def _wanted(asked: Asked, box: PersonalInbox) -> InboxFilter:
    """The filters of the address; what is not known here is said, and filters nothing."""
    return InboxFilter(
        kind=asked.one_of(
            "kind", [one.kind for one in box.sections], terms=[one.title for one in box.sections]
        ),
        domain=asked.one_of("domain", _domains),
        workstream=asked.called("workstream", some_workstream_is_called),
        mine=bool(asked.one_of("whose", ("mine",))),
        sort=asked.order(SORTS),
    )


def _domains() -> list[str]:
    return [domain for domain in domains() if domain]


def _as_csv(box: PersonalInbox, wanted: InboxFilter) -> HttpResponseBase:
    header = ("waits_for", "item", "workstream", "why", f"since ({settings.PROJECT_TIME_ZONE})")
    rows = (
        (item.section.title, entry.title, entry.workstream, entry.why, moment(entry.since))
        for item in box.page(wanted, 0, None)
        for entry in (item.entry,)
    )
    return csv_response("inbox", header, rows)


@act_of("inbox")
def inbox_act(request: HttpRequest, act: str) -> HttpResponse:
    do = chosen(ACTS, act)
    return perform(
        request,
        lambda: do(request, viewer(request)),
        then=filtered(request, "inbox"),
        again=lambda refusal: inbox_page(request, refusal),
        several=act in BULK,
    )


@does(snooze)
def _snooze(request: HttpRequest, who: Viewer) -> str:
    items = _chosen(request)
    count = snooze(items=items, until=_until(request), actor=who.actor, now=now())
    said = f"{count} item{' is' if count == 1 else 's are'} put off, under “Snoozed” until then."
    return f"{said}{_gone(items, count)}"


@does(snooze)
def _wake(request: HttpRequest, who: Viewer) -> str:
    items = _chosen(request)
    count = snooze(items=items, until=now(), actor=who.actor, now=now())
    return f"{count} item{' stands' if count == 1 else 's stand'} in the inbox again.{_gone(items, count)}"


def _gone(items: Sequence[str], count: int) -> str:
    """That others of these waited no longer."""
    gone = len(set(items)) - count
    return f" {gone} more {'does' if gone == 1 else 'do'} not wait for you any more." if gone else ""


def _chosen(request: HttpRequest) -> list[str]:
    """The chosen items; what of them was read does not matter for putting them off."""
    return [item.partition("@")[0] for item in request.POST.getlist("item")]


def _until(request: HttpRequest) -> datetime:
    span = typed(request, "for")
    if span in SPANS:
        return now() + SPANS[span]
    until = typed_moment(request, "until")
    if until is None:
        raise InvalidInput(
            "Say until when.", recovery="Choose a span, or give a day and time.", field="until"
        )
    if until <= now():
        raise InvalidInput("That time is past.", recovery="Give a later day and time.", field="until")
    return until


ACTS: dict[str, Any] = {"snooze": _snooze, "wake": _wake, **BULK}

urlpatterns = [path("", inbox, name="inbox"), path("inbox/<slug:act>", inbox_act, name="inbox-act")]
