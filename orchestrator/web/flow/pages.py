"""The flow pages: figures and charts, and the items behind each of them (FR-013, FR-017, FR-026)."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from orchestrator.core.flow.buckets import Span
from orchestrator.core.terms import Lifecycle
from orchestrator.queries.flow.filters import FlowFilters, FlowSet, FlowTime
from orchestrator.queries.flow.population import Population, sums
from orchestrator.queries.workstreams.portfolio import NO_DOMAIN, choices
from orchestrator.web.charts.chart import Chart
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.cards import cards
from orchestrator.web.flow.charts import cumulative_flow, cycle_scatter, throughput
from orchestrator.web.flow.exports import csv_of
from orchestrator.web.show import show
from orchestrator.web.zone import project_zone

PAGE_SIZE = 50
TIME_WORDS = {
    FlowTime.WEEK: "Last 7 days",
    FlowTime.MONTH: "Last 30 days",
    FlowTime.SIX_WEEKS: "Last 6 weeks",
    FlowTime.QUARTER: "Last 90 days",
    FlowTime.YEAR: "Last 12 months",
    FlowTime.ALL: "All time",
}
SET_WORDS = {
    FlowSet.FINISHED: "Finished items",
    FlowSet.TIMED: "Finished items with a cycle time",
    FlowSet.REWORKED: "Finished items that moved back",
    FlowSet.BLOCKED: "Finished items that were blocked",
    FlowSet.IN_PROGRESS: "Items in progress",
    FlowSet.BLOCKED_NOW: "Items that are blocked",
    FlowSet.REGISTERED: "Items that were registered",
    FlowSet.STARTED: "Items that were started",
    FlowSet.FIRST_FINISHED: "Items that were finished for the first time",
    FlowSet.ACCEPTED: "Items that were accepted",
}


def population_of(request: HttpRequest) -> Population:
    return Population(FlowFilters.read(request.GET), timezone.now(), project_zone())


@require_safe
def flow(request: HttpRequest) -> HttpResponse:
    population, links = population_of(request), Links(request.GET)
    drawn: list[Chart] = [
        cumulative_flow(population, links),
        cycle_scatter(population, links),
        throughput(population, links),
    ]
    context = _frame(population, links) | {
        "cards": cards(population, links),
        "charts": drawn,
    }
    return show(request, "flow/page.html", context, parts=frozenset({"results"}))


@require_safe
def flow_items(request: HttpRequest) -> HttpResponse:
    """The items that a figure or a mark counts, with their history and files."""
    population, links = population_of(request), Links(request.GET)
    page = Paginator(population.chosen, PAGE_SIZE).get_page(request.GET.get("page"))
    context = _frame(population, links) | {
        "page_obj": page,
        "rows": page.object_list,
        "what": SET_WORDS[population.filters.show],
        "sums": sums(population.chosen),
    }
    return show(request, "flow/items.html", context)


@require_safe
def flow_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Exactly the rows that the page with the same query string counts and lists."""
    return csv_of(population_of(request))


def _frame(population: Population, links: Links) -> dict[str, object]:
    """What every flow page shows: the filters, their choices, and what everything was reckoned as of."""
    return {
        "population": population,
        "filters": population.filters,
        "links": links,
        "scope": f"{project_zone().key}; weeks begin on Monday",
        "choices": choices(),
        "no_domain": NO_DOMAIN,
        "times": [(one.value, TIME_WORDS[one]) for one in FlowTime],
        "statuses": list(Lifecycle),
        "spans": list(Span),
    }


urlpatterns = [
    path("flow/", flow, name="flow"),
    path("flow/items/", flow_items, name="flow-items"),
    path("flow.csv", flow_csv, name="flow-csv"),
]
