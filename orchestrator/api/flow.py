"""Flow figures, the items behind them, and forecasts (FR-012, FR-013, FR-017, FR-026)."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import needs
from orchestrator.api.routes import Routes
from orchestrator.contract.flow import (
    FlowChoice,
    FlowItemList,
    FlowItemQuery,
    FlowReport,
    FlowStepList,
    FlowStepQuery,
    ForecastFacts,
    ForecastQuery,
)
from orchestrator.core.terms import Scope
from orchestrator.queries.flow.flow_facts import (
    flow_items,
    flow_report,
    flow_steps,
    forecast_facts,
    strict_population,
)
from orchestrator.queries.flow.population import Population
from orchestrator.web.zone import project_zone

router = Routes(tags=["flow"])


@router.get("/", response=FlowReport)
@needs(Scope.READ)
def report(request: HttpRequest, query: Query[FlowChoice]) -> FlowReport:
    """The figures of the flow page for the same choice."""
    return flow_report(_population(query.model_dump()))


@router.get("/items", response=FlowItemList, url_name="flow-items")
@needs(Scope.READ)
def items(request: HttpRequest, query: Query[FlowItemQuery]) -> FlowItemList:
    """The items behind a figure: the rows that the page lists and the CSV has."""
    return flow_items(_population(query.model_dump()), query.limit, query.offset)


@router.get("/steps", response=FlowStepList)
@needs(Scope.READ)
def steps(request: HttpRequest, query: Query[FlowStepQuery]) -> FlowStepList:
    """How long steps took in the finished items, and how old they are where they are in work."""
    return flow_steps(_population(query.model_dump()), query.limit, query.offset)


@router.get("/forecast", response=ForecastFacts)
@needs(Scope.READ)
def forecast(request: HttpRequest, query: Query[ForecastQuery]) -> ForecastFacts:
    """When work is done, and how much is done in some days, from the throughput of the chosen time."""
    chosen = query.model_dump(exclude={"items", "days", "seed"})
    return forecast_facts(_population(chosen), query.items, query.days, query.seed)


def _population(values: dict[str, object]) -> Population:
    chosen = {name: value for name, value in values.items() if isinstance(value, str)}
    return strict_population(chosen, timezone.now(), project_zone())
