"""A plot as SVG. Written here and not in a template: a page has hundreds of marks, and a template takes ten
times as long for them."""

from collections.abc import Iterable, Iterator
from html import escape

from django.utils.safestring import SafeString, mark_safe

from orchestrator.web.charts.plot import Band, Dot, Plot, Rule, Stack, Strip, Tick, Trace

#: Room at the sides, in pixels; the style sheet has the same columns.
SIDE, LABELS, BELOW = 36, 96, 20


def draw(plot: Plot, title: str) -> SafeString:
    """The drawing with the numbers at its side, its labels and what stands below.

    Every text is escaped; addresses are.
    """
    high = plot.height
    pieces = [
        f'<svg class="plot-side" width="{SIDE}" height="{high}" aria-hidden="true" overflow="visible">',
        *_side(plot.sides),
        f'<text x="0" y="-14">{escape(plot.unit)}</text>',
        f'</svg><svg class="plot-main" width="100%" height="{high}" role="group" overflow="visible"',
        f' aria-label="{escape(title)}">',
        *_bands(plot.bands),
        *_across(Rule(tick.at, "grid") for tick in plot.sides),
        *_stretched(plot.areas, plot.lines, high),
        *_columns(plot.columns, high),
        *_across(plot.rules),
        *_upright(plot.uprights, high),
        *_marks(plot.marks),
        *_names(plot.names),
        *_strips(plot.strips),
        f'</svg><svg class="plot-labels" width="{LABELS}" height="{high}" aria-hidden="true"',
        ' overflow="visible">',
        *_labels(plot.labels),
        f'</svg><svg class="plot-below" width="100%" height="{BELOW}" aria-hidden="true" overflow="visible">',
        *_below(plot.below),
        "</svg>",
    ]
    return mark_safe("".join(pieces))  # noqa: S308 - every text and address is escaped where it is written


def _side(ticks: Iterable[Tick]) -> Iterator[str]:
    for tick in ticks:
        yield f'<text x="{SIDE - 6}" y="{tick.at:g}" dy="4" text-anchor="end">{escape(tick.text)}</text>'


def _labels(ticks: Iterable[Tick]) -> Iterator[str]:
    for tick in ticks:
        yield f'<text class="label-{tick.anchor}" x="6" y="{tick.at:g}" dy="4">{escape(tick.text)}</text>'


def _below(ticks: Iterable[Tick]) -> Iterator[str]:
    for tick in ticks:
        yield f'<text x="{tick.at:g}%" y="14" text-anchor="{tick.anchor}">{escape(tick.text)}</text>'


def _bands(bands: Iterable[Band]) -> Iterator[str]:
    for band in bands:
        place = f'x="{band.x:g}%" y="{band.y:g}" width="{band.width:g}%" height="{band.height:g}"'
        yield f'<rect class="band-{band.tone}" {place}/>'


def _across(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        yield f'<line class="{rule.tone}" x1="0" x2="100%" y1="{rule.at:g}" y2="{rule.at:g}"/>'


def _upright(rules: Iterable[Rule], high: int) -> Iterator[str]:
    for rule in rules:
        yield f'<line class="{rule.tone}" x1="{rule.at:g}%" x2="{rule.at:g}%" y1="0" y2="{high}"/>'


def _stretched(areas: Iterable[Trace], lines: Iterable[Trace], high: int) -> Iterator[str]:
    """Lines go over the whole width, whatever that is; their strokes keep their width."""
    shapes = [f'<polygon class="area-{area.tone}" points="{area.points}"/>' for area in areas]
    shapes += [
        f'<polyline class="line-plot line-{line.tone}" points="{line.points}"'
        ' vector-effect="non-scaling-stroke"/>'
        for line in lines
    ]
    if shapes:
        box = f'width="100%" height="{high}" viewBox="0 0 100 {high}" preserveAspectRatio="none"'
        yield f'<svg {box} aria-hidden="true">{"".join(shapes)}</svg>'


def _columns(columns: Iterable[Stack], high: int) -> Iterator[str]:
    for column in columns:
        wide = f'x="{column.x:g}%" width="{column.width:g}%"'
        middle = column.x + column.width / 2
        yield f'<a href="{escape(column.href)}" aria-label="{escape(column.says)}">'
        yield f'<rect class="hit" {wide} y="0" height="{high}"/>'
        tone = f"column column-{column.tone}"
        yield f'<rect class="{tone}" {wide} y="{column.y:g}" height="{column.height:g}"/>'
        if column.text:
            place = f'x="{middle:g}%" y="{column.y - 4:g}" text-anchor="middle"'
            yield f'<text {place} aria-hidden="true">{escape(column.text)}</text>'
        yield "</a>"


def _marks(marks: Iterable[Dot]) -> Iterator[str]:
    """Out of the order of the Tab key: the table has the same links, one below the other."""
    for mark in marks:
        yield f'<a href="{escape(mark.href)}" tabindex="-1" aria-label="{escape(mark.says)}">'
        place = f'cx="{mark.x:g}%" cy="{mark.y:g}" r="{mark.size}"'
        yield f'<circle class="mark-{mark.tone}" {place}/></a>'


def _names(ticks: Iterable[Tick]) -> Iterator[str]:
    for tick in ticks:
        yield f'<text class="strip-name" x="0" y="{tick.at:g}" aria-hidden="true">{escape(tick.text)}</text>'


def _strips(strips: Iterable[Strip]) -> Iterator[str]:
    """Out of the order of the Tab key, as marks are."""
    for strip in strips:
        says = escape(strip.says)
        yield f'<a href="{escape(strip.href)}" tabindex="-1" aria-label="{says}"><title>{says}</title>'
        place = f'x="{strip.x:g}%" y="{strip.y:g}" width="{strip.width:g}%" height="{strip.height:g}"'
        yield f'<rect class="strip strip-{strip.tone}" {place} rx="2"/></a>'
