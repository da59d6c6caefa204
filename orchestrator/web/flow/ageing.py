"""The chart of ages of work in progress, by the step at which it stands (FR-013)."""

from datetime import timedelta

from orchestrator.core.flow.ageing import AgeColumn
from orchestrator.core.flow.percentiles import FEWEST
from orchestrator.queries.flow.population import FlowRow
from orchestrator.queries.flow.steps import MOST_PAST, Steps
from orchestrator.web.charts.axis import LengthScale
from orchestrator.web.charts.chart import Cell, Chart
from orchestrator.web.charts.plot import HEIGHT, Band, Dot, Plot, Tick
from orchestrator.web.flow.addresses import Links, history_of
from orchestrator.web.flow.words import span_words

TITLE = "Age of work in progress"
#: So many columns fit side by side; the table has all of them.
MOST_COLUMNS = 12
#: So many items, the oldest, have a dot; the table leads to all.
MOST_DOTS = 60


def ageing(steps: Steps, links: Links) -> Chart:
    rows = {row.item.key: row for row in steps.population.in_progress}
    if steps.population.is_past:
        return Chart("ageing", TITLE, "Where work stands is known for now only: choose a time until today.")
    if not rows:
        return Chart("ageing", TITLE, "Nothing is in progress.")
    columns = steps.columns
    shown = _shown(columns)
    ages = sorted((age for column in shown for _item, age in column.ages), reverse=True)
    least = ages[:MOST_DOTS][-1] if ages else timedelta(0)
    past = [length for column in shown for length in column.past.values()]
    scale = LengthScale(max([*ages, *past], default=timedelta(days=1)))
    plot = Plot(
        sides=scale.ticks,
        unit=scale.unit,
        below=[Tick(_middle(place, len(shown)), column.name, "middle") for place, column in enumerate(shown)],
        bands=[
            band for place, column in enumerate(shown) for band in _bands(place, len(shown), column, scale)
        ],
        marks=[
            mark
            for place, column in enumerate(shown)
            for mark in _dots(place, len(shown), column.at_least(least), scale, rows)
        ],
    )
    late = sum(column.is_late(age) for column in columns for _item, age in column.ages)
    return Chart(
        "ageing", TITLE, _finding(columns, late), plot,
        ("Step", "Standing there", "Oldest", "Left it: n", "50 %", "85 %"),
        [_table_row(column, links) for column in columns],
        _notes(columns, shown),
    )  # fmt: skip


def _shown(columns: list[AgeColumn]) -> list[AgeColumn]:
    """Where something stands comes before where nothing does, if not all fit."""
    if len(columns) <= MOST_COLUMNS:
        return columns
    filled = [column for column in columns if column.ages][:MOST_COLUMNS]
    return filled or columns[:MOST_COLUMNS]


def _notes(columns: list[AgeColumn], shown: list[AgeColumn]) -> list[str]:
    basis = f"Bands: how old the last {MOST_PAST} finished items were when they left a step, 50 % and 85 %."
    left_out = (
        [f"{len(shown)} of {len(columns)} steps are drawn; the table has all."]
        if len(shown) < len(columns)
        else []
    )
    count = sum(len(column.ages) for column in columns)
    if count > MOST_DOTS:
        left_out.append(f"The {MOST_DOTS} oldest of {count} items have a dot; the table leads to all.")
    return [basis, *left_out]


def _finding(columns: list[AgeColumn], late: int) -> str:
    known = [column for column in columns if column.past and column.ages]
    if not known:
        return f"No step that work stands at has been left {FEWEST} times yet, so nothing is said to be old."
    if not late:
        return "Nothing is older than 85 % of finished items were when they left its step."
    are = "item is" if late == 1 else "items are"
    return f"{late} {are} older than 85 % of finished items were when they left that step."


def _middle(place: int, count: int) -> float:
    return round(100 * (place + 0.5) / count, 2)


def _bands(place: int, count: int, column: AgeColumn, scale: LengthScale) -> list[Band]:
    x, width = round(100 * place / count + 1, 2), round(100 / count - 2, 2)
    if not column.past:
        return [Band(x, width, 0, HEIGHT, "none")]
    half, most = scale.y(column.past[50]), scale.y(column.past[85])
    return [
        Band(x, width, half, round(HEIGHT - half, 1), "calm"),
        Band(x, width, most, round(half - most, 1), "warm"),
        Band(x, width, 0, most, "late"),
    ]


def _dots(
    place: int, count: int, column: AgeColumn, scale: LengthScale, rows: dict[int, FlowRow]
) -> list[Dot]:
    """Dots of one column beside one another, so that none hides behind another of about the same age."""
    marks = []
    width = 100 / count
    for number, (item, age) in enumerate(sorted(column.ages, key=lambda one: one[1])):
        x = round(place * width + width * (0.2 + 0.15 * (number % 5)), 2)
        tone = "late" if column.is_late(age) else "dot"
        row = rows[item]
        says = f"{row.title}, {column.name}: {span_words(age)}{', older than 85 %' if tone == 'late' else ''}"
        marks.append(Dot(x, scale.y(age), says, history_of(row), tone))
    return marks


def _table_row(column: AgeColumn, links: Links) -> list[Cell]:
    oldest = max((age for _item, age in column.ages), default=timedelta(0))
    return [
        Cell(column.name),
        Cell(str(len(column.ages)), links.standing_at(column.name) if column.ages else ""),
        Cell(span_words(oldest) if column.ages else "–"),
        Cell(str(column.n)),
        Cell(span_words(column.past.get(50))),
        Cell(span_words(column.past.get(85))),
    ]
