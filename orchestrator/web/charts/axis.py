"""Moments below a chart and lengths of time at its side, in the words and the unit that fit what is drawn."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from orchestrator.web.charts.plot import HEIGHT, Scale, Tick, below, share
from orchestrator.web.zone import project_zone

#: Stretches between the moments that are named.
PARTS: Final = 4
#: From here on days are named instead of the time of day.
BY_DAY: Final = timedelta(days=PARTS)
#: In what lengths of time are counted, the longest first.
UNITS: Final = (
    (timedelta(days=1), "days"),
    (timedelta(hours=1), "hours"),
    (timedelta(minutes=1), "minutes"),
    (timedelta(seconds=1), "seconds"),
)


class DrawnTime(NamedTuple):
    """The time that a chart draws from left to right."""

    first: datetime
    last: datetime

    @property
    def length(self) -> timedelta:
        return self.last - self.first

    def x(self, moment: datetime) -> float:
        """Where a moment stands, in per cent."""
        return share((moment - self.first).total_seconds(), self.length.total_seconds())


def moments_below(span: DrawnTime) -> list[Tick]:
    """A few moments, evenly: days of a long time; of a short one times of day, with the date where it is
    another than at the one before."""
    names, day = [], ""
    for place in range(PARTS + 1):
        moment = (span.first + span.length * place / PARTS).astimezone(project_zone())
        today = f"{moment.day} {moment:%b}"
        time = f"{moment:%H:%M}" if span.length >= timedelta(minutes=PARTS) else f"{moment:%H:%M:%S}"
        text = time if today == day else f"{today} {time}"
        text = today if span.length >= BY_DAY else text
        names.append((100 * place / PARTS, text))
        day = today
    return below(names)


class LengthScale:
    """Lengths of time from 0 up to the longest, in the largest unit that fits into that."""

    def __init__(self, longest: timedelta, height: int = HEIGHT) -> None:
        units = (
            (timedelta(days=1), "days"),
            (timedelta(hours=1), "hours"),
            (timedelta(minutes=1), "minutes"),
        )
        fitting = (unit for unit in units if longest >= unit[0])
        self.size, self.unit = next(fitting, (timedelta(seconds=1), "seconds"))
        self._scale = Scale(longest / self.size or 1, height)

    @property
    def top(self) -> timedelta:
        return self.size * self._scale.top

    @property
    def ticks(self) -> list[Tick]:
        return self._scale.ticks

    def y(self, length: timedelta) -> float:
        return self._scale.y(length / self.size)

    def words(self, length: timedelta) -> str:
        """Like "3.2 h"."""
        return f"{length / self.size:.1f} {'min' if self.unit == 'minutes' else self.unit[0]}"
