"""The chart of cycle times, one dot for an item or for several that finished about the same day (FR-013)."""

from collections import defaultdict
from datetime import date, timedelta
from typing import NamedTuple

from orchestrator.core.flow.buckets import local_day
from orchestrator.core.flow.figures import Durations
from orchestrator.core.flow.percentiles import FEWEST
from orchestrator.queries.flow.filters import FlowSet
from orchestrator.queries.flow.population import FlowRow, Population
from orchestrator.web.charts.axis import DrawnTime, LengthScale, moments_below
from orchestrator.web.charts.chart import Cell, Chart
from orchestrator.web.charts.plot import Dot, Plot, Rule, Tick, spread
from orchestrator.web.flow.addresses import Links, history_of
from orchestrator.web.flow.words import counted, day_words, span_words

TITLE = "Cycle time"
#: So many items have a dot each. More of them share a place on a grid of so many by so many; a shared dot
#: says how many it stands for.
MOST_DOTS = 60
ACROSS, DOWN = 32, 12
#: Rows of the table.
MOST_ROWS = 50


class _Grid(NamedTuple):
    """Fields that dots share: so many whole days wide, so many seconds of cycle time high."""

    first: date
    days: int
    wide: int
    high: int

    @classmethod
    def over(cls, population: Population, scale: LengthScale) -> "_Grid":
        first = local_day(_time(population).first, population.zone)
        length = (local_day(population.until, population.zone) - first).days + 1
        return cls(first, length, -(-length // ACROSS), max(-(-int(scale.top.total_seconds()) // DOWN), 1))

    def field_of(self, day: date, cycle: timedelta) -> tuple[int, int]:
        return max((day - self.first).days, 0) // self.wide, int(cycle.total_seconds()) // self.high

    def x(self, field: tuple[int, int]) -> float:
        return round(min(100 * (field[0] + 0.5) * self.wide / self.days, 99), 2)


def cycle_scatter(population: Population, links: Links) -> Chart:
    rows = [row for row in population.finished if row.item.cycle is not None]
    if not rows:
        return Chart("scatter", TITLE, "Nothing that was started was finished in this time.")
    cycle = population.figures.cycle
    scale = LengthScale(cycle.values[-1])
    plot = Plot(
        sides=scale.ticks,
        unit=scale.unit,
        below=moments_below(_time(population)),
        labels=spread(
            [
                Tick(scale.y(value), f"{percent} %: {scale.words(value)}", "ink")
                for percent, value in cycle.percentiles.items()
            ]
        ),
        rules=[Rule(scale.y(value)) for value in cycle.percentiles.values()],
        marks=_marks(rows, population, scale, links),
    )
    table = [
        [
            Cell(row.title, history_of(row)),
            Cell(_day(row, population).isoformat()),
            Cell(span_words(row.item.cycle)),
        ]
        for row in rows[-MOST_ROWS:]
    ]
    notes = (
        [f"The table has the last {MOST_ROWS} of {len(rows)}; the figure above leads to all."]
        if len(rows) > MOST_ROWS
        else []
    )
    return Chart("scatter", TITLE, _usual(cycle), plot, ("Item", "Finished", "Cycle time"), table, notes)


def _usual(cycle: Durations) -> str:
    if not cycle.percentiles:
        items = counted(cycle.n, "item")
        return f"{items} took up to {span_words(cycle.longest)}; percentiles are shown from {FEWEST} on."
    half, most = span_words(cycle.percentiles[50]), span_words(cycle.percentiles[85])
    return f"Half of {cycle.n} took {half} or less; 85 % took {most} or less."


def _day(row: FlowRow, population: Population) -> date:
    assert row.item.finished is not None
    return local_day(row.item.finished, population.zone)


def _cycle(row: FlowRow) -> timedelta:
    return row.item.cycle or timedelta(0)


def _time(population: Population) -> DrawnTime:
    """What is drawn: the chosen time, or since the first item was registered if that is later."""
    first = min(population.first_registered, population.until - timedelta(minutes=1))
    return DrawnTime(max(population.since, first), population.until)


def _marks(rows: list[FlowRow], population: Population, scale: LengthScale, links: Links) -> list[Dot]:
    time = _time(population)
    if len(rows) <= MOST_DOTS:
        return [_mark(row, time.x(row.item.finished or time.last), scale) for row in rows]
    grid = _Grid.over(population, scale)
    fields: dict[tuple[int, int], list[FlowRow]] = defaultdict(list)
    for row in rows:
        fields[grid.field_of(_day(row, population), _cycle(row))].append(row)
    return [
        _mark(found[0], grid.x(field), scale)
        if len(found) == 1
        else _shared_mark(field, found, grid, scale, links)
        for field, found in sorted(fields.items())
    ]


def _mark(row: FlowRow, x: float, scale: LengthScale) -> Dot:
    return Dot(x, scale.y(_cycle(row)), f"{row.title}: {span_words(_cycle(row))}", history_of(row))


def _shared_mark(
    field: tuple[int, int], found: list[FlowRow], grid: _Grid, scale: LengthScale, links: Links
) -> Dot:
    least, most = field[1] * grid.high, (field[1] + 1) * grid.high
    first = grid.first + timedelta(days=field[0] * grid.wide)
    last = first + timedelta(days=grid.wide - 1)
    href = links.items_between(FlowSet.TIMED, first.isoformat(), last.isoformat(), f"{least}-{most}")
    when = day_words(first) if first == last else f"{day_words(first)} to {day_words(last)}"
    lengths = " to ".join(scale.words(timedelta(seconds=seconds)) for seconds in (least, most))
    says = f"{len(found)} items finished {when} in {lengths}"
    middle = timedelta(seconds=(least + most) / 2)
    return Dot(grid.x(field), scale.y(middle), says, href, "dots", min(5 + len(found) // 2, 9))
