"""The chart of cycle times, one dot for an item or for several that finished about the same day (FR-013)."""

from collections import defaultdict
from datetime import date, timedelta
from typing import NamedTuple

from orchestrator.core.flow.buckets import local_day
from orchestrator.core.flow.figures import Durations
from orchestrator.core.flow.percentiles import FEWEST
from orchestrator.queries.flow.filters import FlowSet
from orchestrator.queries.flow.population import FlowRow, Population
from orchestrator.queries.flow.throughput import shown_since
from orchestrator.web.charts.chart import Cell, Chart
from orchestrator.web.charts.plot import Dot, Plot, Rule, Scale, Tick, below, spread
from orchestrator.web.flow.addresses import Links, history_of
from orchestrator.web.flow.words import DAY, counted, day_words, days, span_words

TITLE = "Cycle time"
#: Dots share a place on a grid of so many by so many; a shared one says how many it stands for.
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
    def over(cls, population: Population, scale: Scale) -> "_Grid":
        first = local_day(shown_since(population), population.zone)
        length = (local_day(population.until, population.zone) - first).days + 1
        return cls(first, length, -(-length // ACROSS), -(-int(scale.top * DAY) // DOWN))

    def field_of(self, day: date, cycle: timedelta) -> tuple[int, int]:
        return max((day - self.first).days, 0) // self.wide, int(cycle.total_seconds()) // self.high

    def x(self, field: tuple[int, int]) -> float:
        return round(min(100 * (field[0] + 0.5) * self.wide / self.days, 99), 2)


def cycle_scatter(population: Population, links: Links) -> Chart:
    rows = [row for row in population.finished if row.item.cycle is not None]
    if not rows:
        return Chart("scatter", TITLE, "Nothing that was started was finished in this time.")
    cycle = population.figures.cycle
    scale = Scale(days(cycle.values[-1]))
    grid = _Grid.over(population, scale)
    fields: dict[tuple[int, int], list[FlowRow]] = defaultdict(list)
    for row in rows:
        fields[grid.field_of(_day(row, population), _cycle(row))].append(row)
    plot = Plot(
        sides=scale.ticks,
        unit="days",
        below=_days_below(population),
        labels=spread(
            [
                Tick(scale.y(days(value)), f"{percent} %: {days(value):.1f} d", "ink")
                for percent, value in cycle.percentiles.items()
            ]
        ),
        rules=[Rule(scale.y(days(value))) for value in cycle.percentiles.values()],
        marks=[_scatter_mark(field, found, grid, scale, links) for field, found in sorted(fields.items())],
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


def _scatter_mark(
    field: tuple[int, int], found: list[FlowRow], grid: _Grid, scale: Scale, links: Links
) -> Dot:
    if len(found) == 1:
        says = f"{found[0].title}: {span_words(_cycle(found[0]))}"
        return Dot(grid.x(field), scale.y(days(_cycle(found[0]))), says, history_of(found[0]))
    least, most = field[1] * grid.high, (field[1] + 1) * grid.high
    first = grid.first + timedelta(days=field[0] * grid.wide)
    last = first + timedelta(days=grid.wide - 1)
    href = links.items_between(FlowSet.TIMED, first.isoformat(), last.isoformat(), f"{least}-{most}")
    when = day_words(first) if first == last else f"{day_words(first)} to {day_words(last)}"
    says = f"{len(found)} items finished {when} in {least / DAY:.1f} to {most / DAY:.1f} days"
    middle = (least + most) / 2 / DAY
    return Dot(grid.x(field), scale.y(middle), says, href, "dots", min(5 + len(found) // 2, 9))


def _days_below(population: Population) -> list[Tick]:
    since, until, names = shown_since(population), population.until, []
    for place in range(5):
        moment = since + (until - since) * place / 4
        names.append((25.0 * place, day_words(local_day(moment, population.zone))))
    return below(names)
