"""A chart with its words: what `templates/charts/chart.html` shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.safestring import SafeString

from orchestrator.web.charts.drawing import draw
from orchestrator.web.charts.plot import Plot


class Cell(NamedTuple):
    """A cell of the table; `href` leads to what it counts."""

    text: str
    href: str = ""


class ChartPart(NamedTuple):
    """A part of a chart that is too long for one drawing; the one that is shown has no address."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its title, what it says in one sentence, and the table of the same figures.

    Without a plot there is nothing to draw, and `finding` says why.
    """

    key: str
    title: str
    finding: str
    plot: Plot | None = None
    head: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()
    notes: Sequence[str] = ()
    parts: Sequence[ChartPart] = ()

    @property
    def drawing(self) -> SafeString:
        return draw(self.plot, self.title) if self.plot else SafeString()
