"""A drawing as figures: one frame for all charts with a time or a number below (`drawing.py` writes it).

Across, lengths are in per cent of the drawing, so that texts and marks keep their size on every screen; down,
they are pixels. Every mark links to the items that it counts and says in words what it shows; a table has the
same figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import NamedTuple

HEIGHT = 220
#: Labels at the right side keep this distance, in pixels.
LABEL_GAP = 15
#: So many texts fit below a chart on a small screen.
MOST_BELOW = 5


class Tick(NamedTuple):
    """A number at the side (`at` in pixels) or a text below (`at` in per cent)."""

    at: float
    text: str
    anchor: str = "middle"


class Dot(NamedTuple):
    """A dot: where it stands, what it says, and where it leads."""

    x: float
    y: float
    says: str
    href: str
    tone: str = "dot"
    size: int = 5


class Stack(NamedTuple):
    """An upright bar; `tone` tells the partial ones apart, `text` stands above."""

    x: float
    width: float
    y: float
    height: float
    text: str
    says: str
    href: str
    tone: str = "bar"


class Trace(NamedTuple):
    """A line or, closed below, an area: points of a drawing of 100 by the height."""

    points: str
    tone: str


class Rule(NamedTuple):
    """A dashed line across at `y`, or down at `x`."""

    at: float
    tone: str = "rule"


class Band(NamedTuple):
    """A coloured field behind marks."""

    x: float
    width: float
    y: float
    height: float
    tone: str


class Strip(NamedTuple):
    """A lying bar: from where to where, what it says, and where it leads."""

    x: float
    width: float
    y: float
    height: float
    says: str
    href: str
    tone: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing: what it is made of, and what stands around it; `unit` is that of the numbers at the side."""

    sides: Sequence[Tick] = ()
    below: Sequence[Tick] = ()
    labels: Sequence[Tick] = ()
    areas: Sequence[Trace] = ()
    lines: Sequence[Trace] = ()
    bands: Sequence[Band] = ()
    rules: Sequence[Rule] = ()
    uprights: Sequence[Rule] = ()
    columns: Sequence[Stack] = ()
    marks: Sequence[Dot] = ()
    names: Sequence[Tick] = ()
    strips: Sequence[Strip] = ()
    unit: str = ""
    height: int = HEIGHT


class Scale:
    """Numbers from 0 to a round one above `most`, down a drawing of `height` pixels."""

    def __init__(self, most: float, height: int = HEIGHT) -> None:
        self.step = _round_step(most)
        self.top = max(self.step * ceil(most / self.step), self.step)
        self.height = height

    def y(self, value: float) -> float:
        return round(self.height * (1 - min(value, self.top) / self.top), 1)

    @property
    def ticks(self) -> list[Tick]:
        count = round(self.top / self.step)
        values = [self.step * place for place in range(count + 1)]
        return [Tick(self.y(value), f"{value:g}") for value in values]


def _round_step(most: float) -> float:
    """1, 2 or 5 times a power of ten, so that four or five steps reach `most`."""
    if most <= 4:
        return 1 if most > 2 or most == int(most) else 0.5
    size = 10.0 ** floor(log10(most / 4))
    return size * next(factor for factor in (1, 2, 5, 10) if size * factor * 5 >= most)


def share(place: float, whole: float) -> float:
    """A place in per cent of the whole."""
    return round(100 * place / whole, 2) if whole else 0.0


def spread(labels: Sequence[Tick], height: int = HEIGHT) -> list[Tick]:
    """Labels at the side moved apart, so that none covers another and none leaves the drawing."""
    placed: list[Tick] = []
    floor_y = -float(LABEL_GAP)
    for label in sorted(labels, key=lambda one: one.at):
        floor_y = max(label.at, floor_y + LABEL_GAP)
        placed.append(label._replace(at=floor_y))
    ceiling = float(height)
    for place in range(len(placed) - 1, -1, -1):
        ceiling = min(placed[place].at, ceiling)
        placed[place] = placed[place]._replace(at=round(ceiling, 1))
        ceiling -= LABEL_GAP
    return placed


def below(names: Sequence[tuple[float, str]]) -> list[Tick]:
    """A few of the names below a chart, evenly; those at its ends stay inside."""
    step = max(1, ceil(len(names) / MOST_BELOW))
    return [Tick(at, text, _anchor(at)) for at, text in names[::step]]


def _anchor(at: float) -> str:
    if at < 8:
        return "start"
    return "end" if at > 92 else "middle"


def polyline(values: Sequence[float], height: int, *, closed: bool) -> str:
    """The points of a line over the whole width, through the given heights; closed along the bottom."""
    last = max(len(values) - 1, 1)
    points = [f"{share(place, last):g},{y:g}" for place, y in enumerate(values)]
    if closed:
        points = [f"0,{height}", *points, f"100,{height}"]
    return " ".join(points)
