"""The chart of cumulative flow: how many items had entered each state (FR-013)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from orchestrator.core.flow.buckets import Bucket, Span
from orchestrator.core.flow.cumulative import cumulative, first_entries
from orchestrator.core.terms import FlowState
from orchestrator.queries.flow.filters import FlowSet
from orchestrator.queries.flow.population import Population
from orchestrator.queries.flow.throughput import fitting, shown_since
from orchestrator.web.charts.chart import Cell, Chart
from orchestrator.web.charts.plot import HEIGHT, Dot, Plot, Scale, Tick, Trace, below, polyline, share, spread
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.words import counted, day_words

TITLE = "Cumulative flow"
#: It goes by weeks, or months, for more days than this.
MOST_DAYS = 45


class _StateLine(NamedTuple):
    """A line of the chart: one number at the beginning and one at the end of each bucket."""

    state: FlowState
    word: str
    show: FlowSet
    values: list[int]


_LINES = (
    (FlowState.PLANNED, "planned", FlowSet.REGISTERED),
    (FlowState.STARTED, "started", FlowSet.STARTED),
    (FlowState.FINISHED, "finished", FlowSet.FIRST_FINISHED),
    (FlowState.ACCEPTED, "accepted", FlowSet.ACCEPTED),
)


def cumulative_flow(population: Population, links: Links) -> Chart:
    span, buckets = fitting(population, Span.DAY, MOST_DAYS)
    lines = _lines(population, buckets)
    planned, started, finished, _accepted = (line.values for line in lines)
    if not planned[-1]:
        return Chart("cumulative", TITLE, "No workstream was registered in this time.")
    scale = Scale(planned[-1])
    heights = [list(map(scale.y, line.values)) for line in lines]
    drawn = list(zip(lines, heights, strict=True))
    names = [(share(place, len(buckets)), day_words(day.first)) for place, day in enumerate(buckets)]
    plot = Plot(
        sides=scale.ticks,
        unit="items",
        below=below(names),
        labels=spread([_label(line, ys[-1]) for line, ys in drawn]),
        areas=[Trace(polyline(ys, HEIGHT, closed=True), line.state) for line, ys in drawn],
        lines=[Trace(polyline(ys, HEIGHT, closed=False), line.state) for line, ys in drawn],
        marks=[mark for line, ys in drawn for mark in _marks(line, ys, buckets, links)],
    )
    head = ("At the end of", *(line.word.capitalize() for line in lines))
    rows = [_row(place, bucket, lines, links) for place, bucket in enumerate(buckets, start=1)]
    length = counted(len(buckets), span.value)
    return Chart("cumulative", TITLE, _finding(started, finished, length), plot, head, rows)


def _label(line: _StateLine, y: float) -> Tick:
    return Tick(y, f"{line.word} {line.values[-1]}", line.state)


def _lines(population: Population, buckets: Sequence[Bucket]) -> list[_StateLine]:
    entries = first_entries([row.item for row in population.rows])
    begin = max(shown_since(population), min(bucket.begins for bucket in buckets))
    bounds = [begin, *(min(bucket.ends, population.until) for bucket in buckets)]
    lines = []
    for state, word, show in _LINES:
        moments = entries[state]
        # What entered before the time is counted by the database; only a part of it is among the rows.
        known = sum(moment < population.since for moment in moments)
        earlier = population.entered_before[state] - known
        lines.append(
            _StateLine(state, word, show, [earlier + count for count in cumulative(moments, bounds)])
        )
    return lines


def _marks(line: _StateLine, heights: Sequence[float], buckets: Sequence[Bucket], links: Links) -> list[Dot]:
    """A dot where the line rises, which opens what entered the state then."""
    marks = []
    for place, (before, after) in enumerate(pairwise(line.values), start=1):
        if after > before:
            key = buckets[place - 1].key
            says = f"{key}: {after - before} {line.word}, {after} in all"
            x = share(place, len(buckets))
            marks.append(Dot(x, heights[place], says, links.items(line.show, on=key), line.state, 3))
    return marks


def _row(place: int, bucket: Bucket, lines: Sequence[_StateLine], links: Links) -> list[Cell]:
    cells = [Cell(bucket.key)]
    for line in lines:
        rose = line.values[place] > line.values[place - 1]
        cells.append(Cell(str(line.values[place]), links.items(line.show, on=bucket.key) if rose else ""))
    return cells


def _finding(started: Sequence[int], finished: Sequence[int], length: str) -> str:
    before, now = started[0] - finished[0], started[-1] - finished[-1]
    if now > before:
        said = f"grew from {before} to {now} in {length}: more was begun than finished"
    elif now < before:
        said = f"shrank from {before} to {now} in {length}: more was finished than begun"
    else:
        said = f"is {now} wide, as at the beginning: as much was begun as finished"
    return f"The band of started work {said}."
