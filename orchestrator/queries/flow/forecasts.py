"""What the past of a population says about the days to come (FR-013, FR-012)."""

from datetime import timedelta
from functools import lru_cache

from orchestrator.core.flow.buckets import Span, buckets, counts, local_day, midnight
from orchestrator.core.flow.forecast import Forecast, how_many, when
from orchestrator.queries.flow.population import Population


def history_of(population: Population) -> list[int]:
    """How many items were finished on each whole day of the time, from the day after the first registration;
    today is not over and says nothing yet."""
    rows = population.rows
    if not rows:
        return []
    first = local_day(max(population.since, rows[0].item.registered), population.zone)
    since = (
        population.since
        if population.since > rows[0].item.registered
        else midnight(first + timedelta(days=1), population.zone)
    )
    days = [day for day in buckets(since, population.until, Span.DAY, population.zone) if not day.partial]
    return counts((row.item.finished for row in population.finished if row.item.finished), days)


@lru_cache(maxsize=64)
def days_until_done(history: tuple[int, ...], items: int, seed: int) -> Forecast:
    """`forecast.when`, kept: the same question has the same answer."""
    return when(history, items, seed)


@lru_cache(maxsize=64)
def done_in(history: tuple[int, ...], days: int, seed: int) -> Forecast:
    """`forecast.how_many`, kept."""
    return how_many(history, days, seed)
