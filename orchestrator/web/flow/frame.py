"""What every flow page shows around its own: the filters, their choices, and as of when (FR-017)."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.core.flow.buckets import Span, local_day
from orchestrator.core.terms import Lifecycle
from orchestrator.queries.base.asked import Unknown
from orchestrator.queries.flow.filters import BEGINNING, FlowFilters, FlowTime, unknown_names
from orchestrator.queries.flow.population import Population
from orchestrator.queries.workstreams.portfolio import NO_DOMAIN, choices
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.words import span_words
from orchestrator.web.zone import project_zone

TIME_WORDS = {
    FlowTime.WEEK: "Last 7 days",
    FlowTime.MONTH: "Last 30 days",
    FlowTime.SIX_WEEKS: "Last 6 weeks",
    FlowTime.QUARTER: "Last 90 days",
    FlowTime.YEAR: "Last 12 months",
    FlowTime.ALL: "All time",
}


def population_of(request: HttpRequest, beside: Collection[str] = ()) -> Population:
    """What the address chooses; `beside` is what its page reads as well."""
    return Population(FlowFilters.read(request.GET, beside), timezone.now(), project_zone())


def narrowed_to(population: Population) -> str:
    """The chosen filters in words, so that a list says what it is a list of."""
    filters = population.filters
    first, last = (local_day(at, population.zone) for at in (population.since, population.until))
    time = f"until {last}" if first == BEGINNING else f"{first} to {last}"
    cycle = ""
    if filters.cycle:
        least, most = (timedelta(seconds=seconds) for seconds in filters.cycle)
        cycle = f"cycle time from {span_words(least)} to under {span_words(most)}"
    chosen = (
        time,
        f"in {filters.bucket}" if filters.bucket else "",
        cycle,
        f"step {filters.step}" if filters.step else "",
        f"standing at {filters.at}" if filters.at else "",
        f"domain {filters.domain}" if filters.domain else "",
        f"workflow {filters.workflow}" if filters.workflow else "",
        f"plan called {filters.of}" if filters.of else "",
        f"owner {filters.owner}" if filters.owner else "",
        f"status {filters.status}" if filters.status else "",
    )
    return "; ".join(filter(None, chosen))


def frame(population: Population, links: Links, more: Sequence[Unknown] = ()) -> dict[str, Any]:
    """`more` is what the page itself could not read of its address."""
    known = choices()
    return {
        "population": population,
        "problems": [*population.filters.problems, *unknown_names(population.filters, known), *more],
        "filters": population.filters,
        "links": links,
        "scope": f"{project_zone().key}; weeks begin on Monday",
        "choices": known,
        "no_domain": NO_DOMAIN,
        "times": [(one.value, TIME_WORDS[one]) for one in FlowTime],
        "statuses": list(Lifecycle),
        "spans": list(Span),
        "forecast_href": links.to("flow-forecast"),
        "steps_href": links.to("flow-steps"),
        "flow_href": links.to("flow"),
        "csv_href": links.to("flow-csv"),
    }
