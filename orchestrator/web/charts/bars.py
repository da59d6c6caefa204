"""Charts as figures for a template: lengths in per cent, so that text keeps its size on every screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.core.terms import Lifecycle
from orchestrator.queries.workstreams.portfolio import Bar

#: Narrower parts are too small to hit beside a neighbour; the table twin has a link for them.
CLICKABLE = 8.0


@dataclass(frozen=True, slots=True)
class ChartMark:
    """One part of a bar: `x` and `width` in per cent of the longest bar.

    `href` is empty when it is too narrow.
    """

    state: Lifecycle
    count: int
    x: float
    width: float
    href: str

    @property
    def labelled(self) -> bool:
        """Whether its number fits in; the total at the end of the bar and the table say it too."""
        return self.width >= CLICKABLE

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 3)


@dataclass(frozen=True, slots=True)
class ChartRow:
    """A bar with its name and total, and the counts of the table twin as (state, count, address)."""

    name: str
    total: int
    href: str
    marks: tuple[ChartMark, ...]
    cells: tuple[tuple[Lifecycle, int, str], ...]


Address = Callable[[str, Lifecycle | None], str]


def stacked(bars: Sequence[Bar], address: Address) -> list[ChartRow]:
    """Rows of a stacked bar chart; `address` gives the filtered list of a domain, and of one state in it."""
    longest = max((bar.total for bar in bars), default=0)
    return [_row(bar, longest, address) for bar in bars]


def _row(bar: Bar, longest: int, address: Address) -> ChartRow:
    cells = tuple((state, count, address(bar.domain, state)) for state, count in bar.counts.items())
    return ChartRow(
        bar.domain or "No domain", bar.total, address(bar.domain, None), _marks(cells, longest), cells
    )


def _marks(cells: Sequence[tuple[Lifecycle, int, str]], longest: int) -> tuple[ChartMark, ...]:
    shown = [cell for cell in cells if cell[1]]
    marks, x = [], 0.0
    for state, count, href in shown:
        width = 100 * count / longest
        reachable = width >= CLICKABLE or len(shown) == 1
        marks.append(ChartMark(state, count, round(x, 3), round(width, 3), href if reachable else ""))
        x += width
    return tuple(marks)


def finding(bars: Sequence[Bar]) -> str:
    """The chart in one sentence."""
    total = sum(bar.total for bar in bars)
    if not total:
        return "No workstream matches these filters."
    most = max(bars, key=lambda bar: bar.total)
    waiting = sum(bar.counts[Lifecycle.FINISHED] for bar in bars)
    items = "1 workstream" if total == 1 else f"{total} workstreams"
    domains = "1 domain" if len(bars) == 1 else f"{len(bars)} domains"
    accept = {0: "none waits", 1: "1 waits"}.get(waiting, f"{waiting} wait")
    place = f"; {most.domain} has the most, {most.total}" if most.domain else f"; {most.total} have no domain"
    place = place if len(bars) > 1 else ""
    return f"{items} in {domains}{place}; {accept} for acceptance."
