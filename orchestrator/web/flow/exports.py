"""The items behind a figure as CSV: exactly the rows that the page lists (FR-013, FR-026, DC-7)."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.http import StreamingHttpResponse

from orchestrator.queries.flow.population import FlowRow, Population
from orchestrator.web.csv_export import csv_response, moment

TIMES = ("registered", "started", "finished")
SPANS = ("lead", "cycle", "age", "active", "blocked", "rework")


def csv_of(population: Population) -> StreamingHttpResponse:
    zone = settings.PROJECT_TIME_ZONE
    header = (
        *("workstream", "title", "uuid", "state", "domain", "owner", "workflow"),
        *(f"{name} ({zone})" for name in TIMES),
        *(f"{name}_seconds" for name in SPANS),
        "back_moves",
        "step_seconds",
    )
    return csv_response("flow", header, _cells(population))


def _cells(population: Population) -> Iterator[tuple[object, ...]]:
    for row in population.chosen:
        spans = _spans(row, population)
        yield (*_names(row), *_times(row), *spans, row.item.back_moves, seconds(row.at_step))


def _names(row: FlowRow) -> tuple[object, ...]:
    return row.slug, row.title, row.uuid, row.item.state, row.domain, row.owner, row.workflow


def _times(row: FlowRow) -> tuple[str, ...]:
    item = row.item
    return moment(item.registered), moment(item.started), moment(item.finished)


def _spans(row: FlowRow, population: Population) -> tuple[str, ...]:
    item = row.item
    spans = (item.lead, item.cycle, item.age(population.until), item.active, item.blocked, item.rework)
    return tuple(seconds(span) for span in spans)


def seconds(span: timedelta | None) -> str:
    """To the microsecond and without rounding, so that sums agree; empty without one."""
    return "" if span is None else f"{span / timedelta(seconds=1):f}".rstrip("0").rstrip(".")
