"""The flow pages: figures and charts, and the items behind each of them (FR-013, FR-017, FR-026)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from orchestrator.queries.flow.filters import FlowAsked, FlowSet
from orchestrator.queries.flow.flow_facts import strict_population
from orchestrator.queries.flow.population import FlowRow, sums
from orchestrator.queries.flow.steps import Steps
from orchestrator.web.charts.chart import Chart
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.ageing import ageing
from orchestrator.web.flow.cards import cards
from orchestrator.web.flow.cumulative import cumulative_flow
from orchestrator.web.flow.exports import csv_of
from orchestrator.web.flow.forecasts import flow_forecast
from orchestrator.web.flow.frame import frame, narrowed_to, population_of
from orchestrator.web.flow.roll_up import GroupedBy, roll_up
from orchestrator.web.flow.scatter import cycle_scatter
from orchestrator.web.flow.steps import steps_csv, steps_page
from orchestrator.web.flow.throughput import throughput
from orchestrator.web.show import show
from orchestrator.web.zone import project_zone

PAGE_SIZE = 50
SET_WORDS = {
    FlowSet.FINISHED: "Finished items",
    FlowSet.TIMED: "Finished items with a cycle time",
    FlowSet.REWORKED: "Finished items that moved back",
    FlowSet.BLOCKED: "Finished items that were blocked",
    FlowSet.IN_PROGRESS: "Items in progress",
    FlowSet.IN_WORK: "Items with steps in work",
    FlowSet.BLOCKED_NOW: "Items that are blocked",
    FlowSet.REGISTERED: "Items that were registered",
    FlowSet.STARTED: "Items that were started",
    FlowSet.FIRST_FINISHED: "Items that were finished for the first time",
    FlowSet.ACCEPTED: "Items that were accepted",
}
#: What a reader may sort the items by.
SORTS: Final[Mapping[str, Callable[[FlowRow], Any]]] = {
    "item": lambda row: row.title.casefold(),
    "started": lambda row: row.item.started,
    "finished": lambda row: row.item.finished,
    "lead": lambda row: row.item.lead,
    "cycle": lambda row: row.item.cycle,
    "blocked": lambda row: row.item.blocked,
    "moved": lambda row: row.item.back_moves,
    "step": lambda row: row.at_step,
}
#: The heads of the items; one more where a step is chosen.
HEADS = (
    "Item@item|State|#Started@started|#Finished@finished|#Lead time@lead|#Cycle time@cycle|#Age"
    "|#Blocked@blocked|#Moved back@moved{step}|Behind it"
)
#: What pages read of their addresses beside the filters.
GROUPED, SORTED = ("by",), ("sort",)


@require_safe
def flow(request: HttpRequest) -> HttpResponse:
    population, links = population_of(request, GROUPED), Links(request.GET)
    asked = FlowAsked(request.GET, set(request.GET))
    by = asked.term("by", GroupedBy) or GroupedBy.DOMAIN
    drawn: list[Chart] = [
        cumulative_flow(population, links),
        cycle_scatter(population, links),
        ageing(Steps(population), links),
        throughput(population, links),
    ]
    context = frame(population, links, asked.unknown) | {
        "cards": cards(population, links),
        "roll_up": roll_up(population, links, by),
        "groupings": list(GroupedBy),
        "charts": drawn,
    }
    return show(request, "flow/page.html", context, parts=frozenset({"results"}))


@require_safe
def flow_items(request: HttpRequest) -> HttpResponse:
    """The items that a figure or a mark counts, with their history and files."""
    population, links = population_of(request, SORTED), Links(request.GET)
    asked = FlowAsked(request.GET, set(request.GET))
    sort = asked.order(SORTS)
    page = Paginator(_sorted(population.chosen, sort), PAGE_SIZE).get_page(request.GET.get("page"))
    context = frame(population, links, asked.unknown) | {
        "sort": sort,
        "heads": HEADS.format(step="|#At the step@step" if population.filters.step else ""),
        "page_obj": page,
        "rows": page.object_list,
        "narrowed": narrowed_to(population),
        "what": SET_WORDS[population.filters.show],
        "sums": sums(population.chosen),
    }
    return show(request, "flow/items.html", context)


def _sorted(rows: Sequence[FlowRow], sort: str) -> Sequence[FlowRow]:
    """As the reader asked; rows without a value come last either way."""
    if not sort:
        return rows
    value = SORTS[sort.removeprefix("-")]
    known = [row for row in rows if value(row) is not None]
    known.sort(key=value, reverse=sort.startswith("-"))
    return [*known, *(row for row in rows if value(row) is None)]


@require_safe
def flow_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Exactly the rows that the page with the same query string counts and lists."""
    return csv_of(strict_population(request.GET.dict(), timezone.now(), project_zone()))


urlpatterns = [
    path("flow/", flow, name="flow"),
    path("flow/items/", flow_items, name="flow-items"),
    path("flow/steps/", steps_page, name="flow-steps"),
    path("flow/steps.csv", steps_csv, name="flow-steps-csv"),
    path("flow/forecast/", flow_forecast, name="flow-forecast"),
    path("flow.csv", flow_csv, name="flow-csv"),
]
