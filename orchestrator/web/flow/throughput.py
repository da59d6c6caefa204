"""The chart of throughput by day, week or month (FR-013)."""

from collections.abc import Sequence

from orchestrator.core.flow.buckets import Bucket, Span
from orchestrator.queries.flow.filters import FlowSet
from orchestrator.queries.flow.population import Population
from orchestrator.queries.flow.throughput import finished_per_bucket
from orchestrator.web.charts.chart import Cell, Chart
from orchestrator.web.charts.plot import HEIGHT, Plot, Scale, Stack, below
from orchestrator.web.flow.addresses import Links
from orchestrator.web.flow.words import day_words

#: Numbers stand above so many bars; more of them would touch.
MOST_NUMBERS = 26


def throughput(population: Population, links: Links) -> Chart:
    span, per_bucket = finished_per_bucket(population)
    found, done = [bucket for bucket, _count in per_bucket], [count for _bucket, count in per_bucket]
    scale = Scale(max(done, default=0) or 1)
    width = 100 / max(len(found), 1)
    columns = []
    for place, (bucket, count) in enumerate(zip(found, done, strict=True)):
        part = " so far" if bucket.partial else ""
        left, y = round(place * width + width * 0.1, 2), scale.y(count)
        number = str(count) if len(found) <= MOST_NUMBERS else ""
        says = f"{bucket.key}: {count} finished{part}"
        items, look = links.items(FlowSet.FINISHED, on=bucket.key), "partial" if bucket.partial else "bar"
        columns.append(Stack(left, round(width * 0.8, 2), y, round(HEIGHT - y, 1), number, says, items, look))
    plot = Plot(
        sides=scale.ticks,
        unit="items",
        below=below(
            [
                (round(place * width + width / 2, 2), _bucket_words(bucket, span))
                for place, bucket in enumerate(found)
            ]
        ),
        columns=columns,
    )
    rows = [
        [
            Cell(f"{bucket.key}{' (partial)' if bucket.partial else ''}"),
            Cell(str(count), links.items(FlowSet.FINISHED, on=bucket.key)),
        ]
        for bucket, count in zip(found, done, strict=True)
    ]
    return Chart(
        "throughput",
        "Throughput",
        _pace(found, done, span),
        plot,
        (span.value.capitalize(), "Finished"),
        rows,
    )


def _bucket_words(bucket: Bucket, span: Span) -> str:
    if span is Span.DAY:
        return day_words(bucket.first)
    return bucket.key[5:] if span is Span.WEEK else f"{bucket.first:%b}"


def _pace(found: Sequence[Bucket], done: Sequence[int], span: Span) -> str:
    whole = [count for bucket, count in zip(found, done, strict=True) if not bucket.partial]
    empty = [
        bucket.key for bucket, count in zip(found, done, strict=True) if not count and not bucket.partial
    ]
    said = [f"{sum(done)} finished"]
    if whole:
        said = [f"{sum(whole) / len(whole):.1f} finished a {span} on average"]
    if empty:
        said.append(
            f"none in {empty[0]}" if len(empty) == 1 else f"none in {len(empty)} of {len(found)} {span}s"
        )
    if found and found[-1].partial:
        said.append(f"this {span} is not over")
    return f"{'; '.join(said)}."
