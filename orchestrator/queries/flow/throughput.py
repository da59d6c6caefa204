"""Throughput by day, week or month, and where the time of a chart begins (FR-013)."""

from datetime import datetime, timedelta

from orchestrator.core.flow.buckets import Bucket, Span, buckets, counts, local_day, midnight
from orchestrator.queries.flow.population import Population

#: More buckets than this say less than longer ones.
MOST_BUCKETS = 120


def shown_since(population: Population) -> datetime:
    """Where charts begin: at the chosen time, or where the first item was registered if that is later; at
    the latest with the last day."""
    last = midnight(local_day(population.until - timedelta(microseconds=1), population.zone), population.zone)
    return max(population.since, min(population.first_registered, last))


def fitting(population: Population, span: Span, most: int = MOST_BUCKETS) -> tuple[Span, list[Bucket]]:
    """The buckets of the time, in longer ones when there would be too many."""
    since = shown_since(population)
    spans = list(Span)
    for wider in spans[spans.index(span) :]:
        found = buckets(since, population.until, wider, population.zone)
        if len(found) <= most:
            return wider, found
    return Span.MONTH, found[-most:]


def finished_per_bucket(population: Population) -> tuple[Span, list[tuple[Bucket, int]]]:
    """How many items were finished in each bucket, empty ones too."""
    span, found = fitting(population, population.filters.span)
    done = counts((row.item.finished for row in population.finished if row.item.finished), found)
    return span, list(zip(found, done, strict=True))
