"""Flow as REST answers it: the same rows and figures as the pages and the CSV (FR-013, FR-026)."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, tzinfo

from orchestrator.contract.flow import (
    BucketFacts,
    DurationFacts,
    FlowItemFacts,
    FlowItemList,
    FlowReport,
    FlowStepFacts,
    FlowStepList,
    ForecastFacts,
)
from orchestrator.core.errors import WrongState
from orchestrator.core.flow.buckets import local_day
from orchestrator.core.flow.figures import Durations
from orchestrator.core.flow.forecast import refusal
from orchestrator.core.flow.percentiles import SHOWN
from orchestrator.core.terms import FlowState
from orchestrator.queries.base.asked import refuse_unknown
from orchestrator.queries.flow.filters import FlowFilters, unknown_names
from orchestrator.queries.flow.forecasts import days_until_done, done_in, history_of
from orchestrator.queries.flow.population import FlowRow, Population
from orchestrator.queries.flow.steps import Steps
from orchestrator.queries.flow.throughput import finished_per_bucket
from orchestrator.queries.workstreams.portfolio import choices


def strict_population(
    query: Mapping[str, str], now: datetime, zone: tzinfo, beside: Collection[str] = ()
) -> Population:
    """The population of an address of which every value has to mean something; InvalidInput otherwise."""
    filters = FlowFilters.read(query, beside)
    problems = [*filters.problems]
    if filters.domain or filters.owner or filters.workflow or filters.of:
        problems += unknown_names(filters, choices())
    refuse_unknown(problems)
    return Population(filters, now, zone)


def flow_report(population: Population) -> FlowReport:
    figures = population.figures
    span, per_bucket = finished_per_bucket(population)
    return FlowReport(
        time_zone=str(population.zone),
        since=population.since,
        as_of=population.until,
        finished=figures.finished,
        lead=_durations(figures.lead),
        cycle=_durations(figures.cycle),
        in_progress=figures.in_progress,
        age=_durations(figures.age),
        reworked=figures.reworked,
        rework_rate=figures.rework_rate,
        back_moves=figures.back_moves,
        rework_seconds=figures.rework.total_seconds(),
        was_blocked=figures.was_blocked,
        blocked_seconds=figures.blocked.total_seconds(),
        blocked_share=figures.blocked_share,
        active_seconds=figures.active.total_seconds(),
        efficiency=figures.efficiency,
        span=span,
        throughput=[BucketFacts(bucket.key, count, bucket.partial) for bucket, count in per_bucket],
    )


def flow_items(population: Population, limit: int, offset: int) -> FlowItemList:
    rows = population.chosen
    part = rows[offset : offset + limit]
    return FlowItemList(str(population.zone), len(rows), [_item(row, population.until) for row in part])


def flow_steps(population: Population, limit: int, offset: int) -> FlowStepList:
    found = Steps(population).figures
    part = [
        FlowStepFacts(
            step.plan,
            step.key,
            _durations(step.in_work),
            _durations(step.done),
            step.total.total_seconds(),
        )
        for step in found[offset : offset + limit]
    ]
    return FlowStepList(str(population.zone), len(found), part)


def forecast_facts(population: Population, items: int, days: int, seed: int) -> ForecastFacts:
    """WrongState when the history is too short."""
    history = tuple(history_of(population))
    if why_not := refusal(history):
        raise WrongState(why_not, recovery="Choose a longer time, or wait until more is finished.")
    wanted = items or max(len(population.in_progress), 1)
    today = local_day(population.until, population.zone)
    long, many = days_until_done(history, wanted, seed), done_in(history, days, seed)
    return ForecastFacts(
        time_zone=str(population.zone),
        runs=long.runs,
        seed=seed,
        history=len(history),
        items=wanted,
        days=days,
        done_by={str(percent): today + timedelta(days=long.within(percent)) for percent in SHOWN},
        at_least={str(percent): many.at_least(percent) for percent in SHOWN},
    )


def _durations(durations: Durations) -> DurationFacts:
    p50, p85, p95 = (_seconds(durations.percentiles.get(percent)) for percent in SHOWN)
    return DurationFacts(durations.n, p50, p85, p95, _seconds(durations.longest))


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _item(row: FlowRow, as_of: datetime) -> FlowItemFacts:
    item = row.item
    return FlowItemFacts(
        workstream=row.slug,
        uuid=row.uuid,
        title=row.title,
        state=FlowState(item.state),
        domain=row.domain,
        owner=row.owner,
        workflow=row.workflow,
        registered=item.registered,
        started=item.started,
        finished=item.finished,
        lead_seconds=_seconds(item.lead),
        cycle_seconds=_seconds(item.cycle),
        age_seconds=_seconds(item.age(as_of)),
        active_seconds=item.active.total_seconds(),
        blocked_seconds=item.blocked.total_seconds(),
        rework_seconds=item.rework.total_seconds(),
        back_moves=item.back_moves,
        step_seconds=_seconds(row.at_step),
    )
