"""The portfolio: chart, filters, list and CSV, all from one choice of filters (LC-4, LC-5, DC-7)."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from orchestrator.core.terms import Lifecycle, Signal, TimeWindow
from orchestrator.queries.base.asked import refuse_unknown
from orchestrator.queries.workstreams.portfolio import NO_DOMAIN, Filters, Portfolio, PortfolioItem, choices
from orchestrator.web.charts.bars import finding, stacked
from orchestrator.web.csv_export import csv_response, moment
from orchestrator.web.show import show
from orchestrator.web.windows import WINDOW_WORDS

PAGE_SIZE = 50


def _chosen(request: HttpRequest) -> Portfolio:
    return Portfolio(Filters.read(request.GET), timezone.now(), ZoneInfo(settings.PROJECT_TIME_ZONE))


@require_safe
def portfolio(request: HttpRequest) -> HttpResponse:
    chosen = _chosen(request)
    totals = dict.fromkeys(Lifecycle, 0)
    for bar in chosen.bars:
        for state, count in bar.counts.items():
            totals[state] += count
    page = Paginator(chosen.rows, PAGE_SIZE)
    page.count = chosen.count  # the chart has counted the same rows already
    page_obj = page.get_page(request.GET.get("page"))
    context = {
        "portfolio": chosen,
        "filters": chosen.filters,
        "sort": chosen.filters.sort,
        "unknown": chosen.filters.unknown,
        "page_obj": page_obj,
        "items": chosen.items_of(list(page_obj)),
        "chart": stacked(chosen.bars, lambda domain, state: _address(request, domain, state)),
        "finding": finding(chosen.bars),
        "lifecycles": list(Lifecycle),
        "totals": list(totals.values()),
        "offers": _offers(chosen),
        "choices": choices(),
        "no_domain": NO_DOMAIN,
        "now": chosen.now,
        "diverged": chosen.stopped,
    }
    return show(request, "portfolio/page.html", context, parts=frozenset({"results"}))


def _offers(chosen: Portfolio) -> dict[str, list[tuple[str, str, int, bool]]]:
    """What each filter group offers: value, word, how many it would show, whether it is chosen."""
    filters, facets = chosen.filters, chosen.facets
    windows = [
        (w.value, WINDOW_WORDS[w], facets[f"window_{w.value}"], w == filters.window) for w in TimeWindow
    ]
    return {
        "states": [
            (s.value, s.value.capitalize(), facets[f"state_{s.value}"], s in filters.states)
            for s in Lifecycle
        ],
        "signals": [
            (s.value, s.value.capitalize(), facets[f"signal_{s.value}"], s in filters.signals) for s in Signal
        ],
        "windows": [("", "Any time", facets["window_"], filters.window is None), *windows],
    }


def _address(request: HttpRequest, domain: str, state: Lifecycle | None) -> str:
    """This page with the same filters, narrowed to a domain and a state."""
    query = request.GET.copy()
    for key in ("page", "state", "domain"):
        query.pop(key, None)
    query["domain"] = domain or NO_DOMAIN
    if state is not None:
        query["state"] = state.value
    elif request.GET.getlist("state"):
        query.setlist("state", request.GET.getlist("state"))
    return f"{reverse('portfolio')}?{query.urlencode()}#list"


COLUMNS = (
    "workstream", "title", "uuid", "state", "signals", "why", "domain", "owner", "workflow", "version",
    "open_tasks", "done_tasks", "blocked_tasks", "tokens_in", "tokens_out", "cost", "seconds_used", "budget",
)  # fmt: skip
TIMES = ("created", "updated", "started", "finished", "accepted")


@require_safe
def portfolio_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Exactly the rows that the page with the same query string counts and lists; a filter that means nothing
    is refused."""
    header = (*COLUMNS, *(f"{name} ({settings.PROJECT_TIME_ZONE})" for name in TIMES))
    chosen = _chosen(request)
    refuse_unknown(chosen.filters.unknown)
    return csv_response("portfolio", header, _cells(chosen))


def _cells(chosen: Portfolio) -> Iterator[tuple[object, ...]]:
    return map(_row, chosen.items())


def _row(item: PortfolioItem) -> tuple[object, ...]:
    row = item.workstream
    version = row.version
    names = (row.slug, row.title, row.uuid, item.state.value, " ".join(item.signals), item.why, row.domain)
    counts = (row.open_tasks, row.done_tasks, row.blocked_tasks)
    times = (row.created_at, row.updated_at, row.started_at, row.finished_at, row.accepted_at)
    return (
        *names,
        row.owner.get_username(),
        version.workflow.slug,
        version.number,
        *counts,
        *_usage(item),
        *map(moment, times),
    )


def _usage(item: PortfolioItem) -> tuple[object, ...]:
    """What its executors said they used, money by currency, and the budget that a person or the plan gave."""
    cost = " + ".join(f"{one.cost} {one.currency}" for one in item.used if one.currency)
    return (
        sum(one.tokens_in for one in item.used),
        sum(one.tokens_out for one in item.used),
        cost,
        sum(one.seconds for one in item.used),
        item.workstream.budget or item.workstream.version.budget,
    )


urlpatterns = [
    path("portfolio/", portfolio, name="portfolio"),
    path("portfolio.csv", portfolio_csv, name="portfolio-csv"),
]
