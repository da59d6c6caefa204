"""The charts of the flow page, each with what it says in one sentence and a table of the same figures
(FR-013)."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

from orchestrator.core.flow.buckets import Bucket, Span, local_day
from orchestrator.core.flow.cumulative import cumulative, first_entries
from orchestrator.core.terms import FlowState
from orchestrator.queries.flow.filters import FlowSet
from orchestrator.queries.flow.population import FlowRow, Population
from orchestrator.queries.flow.throughput import MOST_BUCKETS, finished_per_bucket, fitting, shown_since
from orchestrator.web.charts.chart import Cell, Chart
from orchestrator.web.charts.plot import (
    HEIGHT,
    Column,
    Line,
    Mark,
    Plot,
    Rule,
    Scale,
    Tick,
    below,
    polyline,
    share,
    spread,
)
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.words import counted, day_words, days, span_words

#: Cumulative flow goes by weeks for more days than this.
MOST_DAYS = 45
#: Dots share a place on a grid of so many by so many; a shared one says how many it stands for.
ACROSS, DOWN = 32, 12
LINE_SETS = {
    FlowState.PLANNED: (FlowSet.REGISTERED, "planned"),
    FlowState.STARTED: (FlowSet.STARTED, "started"),
    FlowState.FINISHED: (FlowSet.FIRST_FINISHED, "finished"),
    FlowState.ACCEPTED: (FlowSet.ACCEPTED, "accepted"),
}


def cumulative_flow(population: Population, links: Links) -> Chart:
    _span, ends = fitting(population, Span.DAY, MOST_DAYS)
    entries = first_entries([row.item for row in population.rows])
    lines = {}
    for state, moments in entries.items():
        earlier = sum(moment < population.since for moment in moments)
        base = population.entered_before[state] - earlier
        bounds = [min(bucket.ends, population.until) for bucket in ends]
        lines[state] = [base + count for count in cumulative(moments, bounds)]
    if not any(values[-1] for values in lines.values()):
        return Chart("cumulative", "Cumulative flow", "No workstream was registered in this time.")
    scale = Scale(lines[FlowState.PLANNED][-1])
    heights = {state: [scale.y(value) for value in values] for state, values in lines.items()}
    plot = Plot(
        sides=scale.ticks,
        below=below([(share(place, max(len(ends) - 1, 1)), day_words(day.first)) for place, day in enumerate(ends)]),
        labels=spread([Tick(ys[-1], f"{LINE_SETS[state][1]} {lines[state][-1]}", state.value) for state, ys in heights.items()]),
        areas=[Line(polyline(ys, HEIGHT, closed=True), state.value) for state, ys in heights.items()],
        lines=[Line(polyline(ys, HEIGHT, closed=False), state.value) for state, ys in heights.items()],
        marks=_entry_marks(ends, heights, lines, links),
    )
    rows = [
        [Cell(bucket.key), *(_entry_cell(lines[state], place, bucket, LINE_SETS[state][0], links) for state in lines)]
        for place, bucket in enumerate(ends)
    ]
    started, finished = lines[FlowState.STARTED], lines[FlowState.FINISHED]
    return Chart(
        "cumulative", "Cumulative flow", _band(started, finished, ends), plot,
        ("Until the end of", "Planned", "Started", "Finished", "Accepted"), rows,
    )  # fmt: skip


def _band(started: list[int], finished: list[int], ends: list[Bucket]) -> str:
    before, now = started[0] - finished[0], started[-1] - finished[-1]
    length = counted(len(ends), "day") if len(ends) > 1 and ends[1].first - ends[0].first == timedelta(days=1) else "this time"
    if now > before:
        return f"The band of started work grew from {before} to {now} in {length}: more was begun than finished."
    if now < before:
        return f"The band of started work shrank from {before} to {now} in {length}: more was finished than begun."
    return f"The band of started work is {now} wide, as at the beginning: as much was begun as finished."


def _entry_marks(ends: list[Bucket], heights: dict, lines: dict, links: Links) -> list[Mark]:  # type: ignore[type-arg]
    """A dot where a line rises, so that it opens what entered the state then."""
    last, marks = max(len(ends) - 1, 1), []
    for state, values in lines.items():
        show, word = LINE_SETS[state]
        for place, (before, after) in enumerate(pairwise(values), start=1):
            if after > before:
                says = f"{ends[place].key}: {after - before} {word}, {after} in all"
                href = links.items(show, on=ends[place].key)
                marks.append(Mark(share(place, last), heights[state][place], says, href, state.value, 3))
    return marks if len(marks) <= MOST_BUCKETS * 2 else []


def _entry_cell(values: list[int], place: int, bucket: Bucket, show: FlowSet, links: Links) -> Cell:
    grew = place > 0 and values[place] > values[place - 1]
    return Cell(str(values[place]), links.items(show, on=bucket.key) if grew else "")


def cycle_scatter(population: Population, links: Links) -> Chart:
    rows = [row for row in population.finished if row.item.cycle is not None]
    title = "Cycle time"
    if not rows:
        return Chart("scatter", title, "Nothing that was started was finished in this time.")
    cycle = population.figures.cycle
    scale = Scale(days(cycle.values[-1]))
    since = shown_since(population)
    whole = (population.until - since).total_seconds()
    grid: dict[tuple[int, int], list[FlowRow]] = defaultdict(list)
    for row in rows:
        across = int(ACROSS * max((row.item.finished - since).total_seconds(), 0) / whole)  # type: ignore[operator]
        grid[min(across, ACROSS - 1), int(DOWN * days(row.item.cycle) / scale.top)].append(row)  # type: ignore[arg-type]
    marks = [_scatter_mark(cell, found, scale, links, population) for cell, found in sorted(grid.items())]
    percentiles = [(percent, value) for percent, value in cycle.percentiles.items()]
    plot = Plot(
        sides=scale.ticks,
        below=_days_below(since, population.until, population),
        labels=spread([Tick(scale.y(days(value)), f"{percent} %: {days(value):.1f} d", "ink") for percent, value in percentiles]),
        rules=[Rule(scale.y(days(value))) for _percent, value in percentiles],
        marks=marks,
    )
    half = "Half of {n} took {a} or less; 85 % took {b} or less."
    said = (
        half.format(n=cycle.n, a=span_words(cycle.percentiles[50]), b=span_words(cycle.percentiles[85]))
        if cycle.percentiles
        else f"{counted(cycle.n, 'item')} took up to {span_words(cycle.longest)}; percentiles are shown from ten."
    )
    table = [
        [Cell(row.title, f"/workstreams/{row.uuid}/history/"), Cell(local_day(row.item.finished, population.zone).isoformat()), Cell(span_words(row.item.cycle))]  # type: ignore[arg-type]
        for row in rows[-50:]
    ]
    notes = [f"The table has the last 50 of {len(rows)}; the card above leads to all."] if len(rows) > 50 else []
    return Chart("scatter", title, said, plot, ("Item", "Finished", "Cycle time"), table, notes)


def _scatter_mark(cell: tuple[int, int], found: list[FlowRow], scale: Scale, links: Links, population: Population) -> Mark:
    x = round(100 * (cell[0] + 0.5) / ACROSS, 2)
    if len(found) == 1:
        row = found[0]
        says = f"{row.title}: {span_words(row.item.cycle)}"
        return Mark(x, scale.y(days(row.item.cycle)), says, f"/workstreams/{row.uuid}/history/")  # type: ignore[arg-type]
    step = scale.top / DOWN * 86_400
    y = round(scale.height * (1 - (cell[1] + 0.5) / DOWN), 1)
    span = f"{int(cell[1] * step)}-{int((cell[1] + 1) * step)}"
    first = min(row.item.finished for row in found)  # type: ignore[type-var]
    last = max(row.item.finished for row in found)  # type: ignore[type-var]
    since, until = local_day(first, population.zone), local_day(last, population.zone)  # type: ignore[arg-type]
    href = links.items_between(FlowSet.TIMED, since.isoformat(), until.isoformat(), span)
    says = f"{len(found)} items finished {day_words(since)} to {day_words(until)} in {cell[1] * step / 86_400:.1f} to {(cell[1] + 1) * step / 86_400:.1f} days"
    return Mark(x, y, says, href, "dots", min(5 + len(found) // 2, 9))


def _days_below(since: datetime, until: datetime, population: Population) -> list[Tick]:
    names = []
    for place in range(5):
        moment = since + (until - since) * place / 4
        names.append((25.0 * place, day_words(local_day(moment, population.zone))))
    return below(names)


def throughput(population: Population, links: Links) -> Chart:
    span, per_bucket = finished_per_bucket(population)
    found, done = [bucket for bucket, _count in per_bucket], [count for _bucket, count in per_bucket]
    scale = Scale(max(done, default=0) or 1)
    width = 100 / max(len(found), 1)
    columns = []
    for place, (bucket, count) in enumerate(zip(found, done, strict=True)):
        part = " so far" if bucket.partial else ""
        y = scale.y(count)
        columns.append(
            Column(
                round(place * width + width * 0.1, 2), round(width * 0.8, 2), y, round(HEIGHT - y, 1),
                str(count) if len(found) <= 26 else "", f"{bucket.key}: {count} finished{part}",
                links.items(FlowSet.FINISHED, on=bucket.key), "partial" if bucket.partial else "bar",
            )
        )  # fmt: skip
    plot = Plot(
        sides=scale.ticks,
        below=below([(round(place * width + width / 2, 2), _bucket_words(bucket, span)) for place, bucket in enumerate(found)]),
        columns=columns,
    )
    rows = [
        [Cell(f"{bucket.key}{' (partial)' if bucket.partial else ''}"), Cell(str(count), links.items(FlowSet.FINISHED, on=bucket.key))]
        for bucket, count in zip(found, done, strict=True)
    ]
    return Chart("throughput", "Throughput", _pace(found, done, span), plot, (span.value.capitalize(), "Finished"), rows)


def _bucket_words(bucket: Bucket, span: Span) -> str:
    if span is Span.DAY:
        return day_words(bucket.first)
    return bucket.key[5:] if span is Span.WEEK else f"{bucket.first:%b}"


def _pace(found: list[Bucket], done: list[int], span: Span) -> str:
    whole = [count for bucket, count in zip(found, done, strict=True) if not bucket.partial]
    empty = [bucket.key for bucket, count in zip(found, done, strict=True) if not count and not bucket.partial]
    said = [f"{sum(done)} finished"]
    if whole:
        said = [f"{sum(whole) / len(whole):.1f} finished a {span} on average"]
    if empty:
        said.append(f"none in {empty[0]}" if len(empty) == 1 else f"none in {len(empty)} of {len(found)} {span}s")
    if found and found[-1].partial:
        said.append(f"this {span} is not over")
    return f"{'; '.join(said)}."
