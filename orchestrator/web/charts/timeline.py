"""A timeline as a chart: lanes from top to bottom, time from left to right, every stretch a link (FR-002)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from orchestrator.core.engine import explain
from orchestrator.models import Task
from orchestrator.queries.work.timeline import Stretch, StretchKind, Timeline
from orchestrator.web.charts import axis
from orchestrator.web.charts.chart import Cell, Chart, ChartPart
from orchestrator.web.charts.plot import Plot, Rule, Strip, Tick
from orchestrator.web.zone import project_zone

TITLE: Final = "Timeline"
#: Pixels: the name of a lane, one row of its stretches, what is left between lanes.
NAME, ROW, GAP = 18, 14, 8
#: Lanes that are drawn at a time, and rows of the table.
MOST_LANES: Final = 40
MOST_ROWS: Final = 100
#: The narrowest stretch that can still be seen and hit, in per cent.
NARROWEST: Final = 0.6
TONES: Final = {
    "completed": "finished",
    "failed": "blocked",
    "rejected": "blocked",
    "running": "active",
    "queued": "human",
}
WORDS: Final = {
    StretchKind.SIGNATURE: "for a signature",
    StretchKind.QUESTION: "for an answer",
    StretchKind.BLOCKER: "blocked",
    StretchKind.REST: "still to do, as it would run",
}
Address = Callable[[Task], str]


def timeline_chart(timeline: Timeline, now: datetime, address: Address, scope: str, part: int = 1) -> Chart:
    """The chart with its sentence, and the same as a table; of many lanes those of one part, counted from
    1."""
    if not timeline.stretches:
        return Chart("timeline", TITLE, f"Nothing of {scope} has begun.")
    parts = -(-len(timeline.lanes) // MOST_LANES)
    part = min(max(part, 1), parts)
    lanes = timeline.lanes[(part - 1) * MOST_LANES : part * MOST_LANES]
    shown = [one for one in timeline.stretches if one.lane in set(lanes)]
    first = min(one.since for one in timeline.stretches)
    last = max(now, *(one.until or now for one in timeline.stretches))
    span = axis.DrawnTime(min(first, now), max(last, first + timedelta(minutes=1)))
    rows = _told(shown)
    notes = []
    if timeline.left_out:
        notes.append(f"{timeline.left_out} earlier attempts are left out.")
    if len(rows) > MOST_ROWS:
        notes.append(
            f"The table has {MOST_ROWS} of {len(rows)}: what began last, then what is to be done first."
        )
    return Chart(
        "timeline",
        TITLE,
        _finding(timeline, now),
        _plot(lanes, shown, span, now, address),
        ("What", "Lane", "State", "From", "How long"),
        [_row(one, now, address) for one in rows[:MOST_ROWS]],
        notes,
        _parts(len(timeline.lanes), part) if parts > 1 else (),
    )


def _parts(lanes: int, chosen: int) -> list[ChartPart]:
    firsts = range(0, lanes, MOST_LANES)
    return [
        ChartPart(
            f"Lanes {first + 1} to {min(first + MOST_LANES, lanes)}",
            "" if place == chosen else f"?lanes={place}",
        )
        for place, first in enumerate(firsts, start=1)
    ]


def _told(stretches: Sequence[Stretch]) -> list[Stretch]:
    """In the order of the table: what has begun, latest first, then the rest as it would come."""
    begun = [one for one in stretches if one.kind is not StretchKind.REST]
    rest = [one for one in stretches if one.kind is StretchKind.REST]
    return sorted(begun, key=lambda one: one.since, reverse=True) + sorted(rest, key=lambda one: one.since)


def _finding(timeline: Timeline, now: datetime) -> str:
    """How much of the time went into work, and into waiting for people."""
    todo = sum(one.kind is StretchKind.REST for one in timeline.stretches)
    if todo == len(timeline.stretches):
        steps = "1 step is" if todo == 1 else f"{todo} steps are"
        return f"Nothing has begun yet; {steps} still to do, drawn as they would run from now on."
    worked, waited, stopped = timedelta(), timedelta(), timedelta()
    failed = 0
    for one in timeline.stretches:
        length = (one.until or now) - one.since
        if one.kind is StretchKind.ATTEMPT:
            worked += length
            failed += one.state == "failed"
        elif one.kind in {StretchKind.SIGNATURE, StretchKind.QUESTION}:
            waited += length
        elif one.kind is StretchKind.BLOCKER:
            stopped += length
    said = [f"{explain.lasting(worked)} of work"]
    said += [f"{failed} failed attempt{'' if failed == 1 else 's'}"] if failed else []
    said += [f"{explain.lasting(waited)} of waiting for people"] if waited else []
    said += [f"{explain.lasting(stopped)} blocked"] if stopped else []
    sentence = f"{', '.join(said)}."
    return sentence[:1].upper() + sentence[1:]


def _plot(
    lanes: Sequence[str],
    stretches: Sequence[Stretch],
    span: axis.DrawnTime,
    now: datetime,
    address: Address,
) -> Plot:
    names, strips, top = [], [], 0
    for lane in lanes:
        names.append(Tick(top + NAME - 5, lane, "start"))
        rows = _packed([one for one in stretches if one.lane == lane], now)
        for place, row in enumerate(rows):
            y = top + NAME + place * ROW
            strips += [_strip(one, span, now, y, address) for one in row]
        top += NAME + len(rows) * ROW + GAP
    return Plot(
        names=names,
        strips=strips,
        uprights=[Rule(span.x(now), "rule")],
        below=axis.moments_below(span),
        height=top,
    )


def _packed(stretches: Sequence[Stretch], now: datetime) -> list[list[Stretch]]:
    """Stretches that overlap stand in rows below one another."""
    rows: list[list[Stretch]] = []
    for one in sorted(stretches, key=lambda stretch: stretch.since):
        fits = (row for row in rows if (row[-1].until or now) <= one.since)
        if row := next(fits, None):
            row.append(one)
        else:
            rows.append([one])
    return rows


def _strip(one: Stretch, span: axis.DrawnTime, now: datetime, y: int, address: Address) -> Strip:
    x = span.x(one.since)
    width = max(span.x(one.until or now) - x, NARROWEST)
    return Strip(min(x, 100 - NARROWEST), width, y, ROW - 4, _says(one, now), address(one.task), _tone(one))


def _tone(one: Stretch) -> str:
    if one.kind is StretchKind.ATTEMPT:
        return TONES.get(one.state, "plain")
    if one.kind is StretchKind.SIGNATURE:
        return "human" if one.until is None or one.state == "completed" else TONES.get(one.state, "plain")
    return {StretchKind.QUESTION: "human", StretchKind.BLOCKER: "blocked"}.get(one.kind, "rest")


def _what(one: Stretch) -> str:
    key = one.task.step.key
    if one.kind is StretchKind.ATTEMPT:
        return f"{key} attempt {one.number}" + (f" by {one.by}" if one.by else "")
    return f"{key} {WORDS[one.kind]}" if one.kind is StretchKind.REST else f"{key}, {WORDS[one.kind]}"


def _state(one: Stretch) -> str:
    if one.kind is StretchKind.REST:
        return one.state or "to do"
    if one.kind is StretchKind.ATTEMPT or (one.until is not None and one.state):
        return one.state
    return "open" if one.until is None else "over"


def _long(one: Stretch, now: datetime) -> str:
    return explain.lasting((one.until or now) - one.since)


def _says(one: Stretch, now: datetime) -> str:
    note = f": {' '.join(one.note.split())[:120]}" if one.note else ""
    return f"{_what(one)}, {_state(one)}, {_long(one, now)}{note}"


def _row(one: Stretch, now: datetime, address: Address) -> list[Cell]:
    since = one.since.astimezone(project_zone())
    return [
        Cell(_what(one), address(one.task)),
        Cell(one.lane),
        Cell(_state(one)),
        Cell(f"{since.day} {since:%b, %H:%M}"),
        Cell(_long(one, now)),
    ]
