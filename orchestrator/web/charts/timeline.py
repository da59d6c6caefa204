"""A timeline as a chart: lanes from top to bottom, time from left to right, every stretch a link (FR-002)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from orchestrator.core.engine import explain
from orchestrator.models import Task
from orchestrator.queries.work.timeline import Stretch, StretchKind, Timeline
from orchestrator.web.charts.chart import Cell, Chart
from orchestrator.web.charts.plot import Plot, Rule, Strip, Tick, below, share
from orchestrator.web.zone import project_zone

#: Pixels: the name of a lane, one row of its stretches, what is left between lanes.
NAME, ROW, GAP = 18, 14, 8
#: Lanes that are drawn, and rows of the table.
MOST_LANES: Final = 40
MOST_ROWS: Final = 100
#: The narrowest stretch that can still be seen and hit, in per cent.
NARROWEST: Final = 0.6
MARKS_BELOW: Final = 4
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


class _Span(NamedTuple):
    """The time that is drawn."""

    first: datetime
    last: datetime

    def x(self, moment: datetime) -> float:
        return share((moment - self.first).total_seconds(), (self.last - self.first).total_seconds())


def timeline_chart(timeline: Timeline, now: datetime, address: Address, scope: str) -> Chart:
    """The chart with its sentence, and the same as a table, latest first."""
    title = "Timeline"
    if not timeline.stretches:
        return Chart("timeline", title, f"Nothing of {scope} has begun.")
    first = min(one.since for one in timeline.stretches)
    last = max(now, *(one.until or now for one in timeline.stretches))
    span = _Span(first, max(last, first + timedelta(minutes=1)))
    notes = []
    if len(timeline.lanes) > MOST_LANES:
        notes.append(
            f"{MOST_LANES} of {len(timeline.lanes)} lanes are drawn; the table has the latest of all."
        )
    if timeline.left_out:
        notes.append(f"{timeline.left_out} earlier attempts are left out.")
    rows = sorted(timeline.stretches, key=lambda one: one.since, reverse=True)
    if len(rows) > MOST_ROWS:
        notes.append(f"The table has the latest {MOST_ROWS} of {len(rows)}.")
    return Chart(
        "timeline",
        title,
        _finding(timeline, now),
        _plot(timeline, span, now, address),
        ("What", "Lane", "State", "From", "How long"),
        [_row(one, now, address) for one in rows[:MOST_ROWS]],
        notes,
    )


def _finding(timeline: Timeline, now: datetime) -> str:
    """How much of the time went into work, and into waiting for people."""
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
    return f"{', '.join(said)}."


def _plot(timeline: Timeline, span: _Span, now: datetime, address: Address) -> Plot:
    names, strips, top = [], [], 0
    for lane in timeline.lanes[:MOST_LANES]:
        names.append(Tick(top + NAME - 5, lane, "start"))
        rows = _packed([one for one in timeline.stretches if one.lane == lane], now)
        for place, row in enumerate(rows):
            y = top + NAME + place * ROW
            strips += [_strip(one, span, now, y, address) for one in row]
        top += NAME + len(rows) * ROW + GAP
    return Plot(
        names=names,
        strips=strips,
        uprights=[Rule(span.x(now), "rule")],
        below=below([(span.x(moment), _when(moment, span)) for moment in _moments(span)]),
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


def _strip(one: Stretch, span: _Span, now: datetime, y: int, address: Address) -> Strip:
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
        return "to do"
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


def _moments(span: _Span) -> list[datetime]:
    step = (span.last - span.first) / MARKS_BELOW
    return [span.first + step * place for place in range(MARKS_BELOW + 1)]


def _when(moment: datetime, span: _Span) -> str:
    local = moment.astimezone(project_zone())
    short = span.last - span.first < timedelta(days=2)
    return f"{local:%H:%M}" if short else f"{local.day} {local:%b}"
