"""The map of a plan as SVG: what `core/plans/map_layout.py` has placed, with words, shapes and links."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final, NamedTuple

from django.utils.safestring import SafeString, mark_safe

from orchestrator.core.plans.map_layout import (
    HEIGHT,
    STEM,
    WIDTH,
    Box,
    BoxShape,
    MapLayout,
    MapLine,
    Tray,
    fit,
)
from orchestrator.core.plans.plan_map import MapFold, MapStep, PlanMap

#: The address of a step by its key.
Address = Callable[[str], str]
#: Signs in the corner of a box; a legend names them.
BOTTLENECK, NEXT = "▲", "→"
#: A larger map has a page of its own: a page that is read often stays light.
MOST_INLINE: Final = 60


class Look(NamedTuple):
    """A state as colour, shape (inner SVG on 12 by 12) and word."""

    tone: str
    glyph: str
    word: str


class MapEntry(NamedTuple):
    """A step of the list and its address."""

    step: MapStep
    href: str


@dataclass(frozen=True, slots=True)
class MapView:
    """A map on a page: its title, the sentence over it, and where its steps and its own page are."""

    plan: PlanMap
    title: str
    address: Address
    page: str = ""

    @property
    def inline(self) -> bool:
        return not self.page or len(self.plan.steps) <= MOST_INLINE

    @property
    def bottleneck_address(self) -> str:
        return self.address(self.plan.bottleneck)

    @property
    def listed(self) -> Sequence[MapEntry]:
        return [MapEntry(step, self.address(step.key)) for step in self.plan.steps]

    @property
    def folded(self) -> Sequence[tuple[MapFold, str]]:
        return [(fold, self.address(fold.step)) for fold in self.plan.folds]


class _Face(NamedTuple):
    """What a box shows: `says` is its whole text, for those who do not see the rest."""

    look: Look
    name: str
    word: str
    says: str
    classes: str
    step: str
    sign: str


def draw_map(view: MapView, looks: Callable[[str], Look]) -> SafeString:
    """The drawing; a folded batch or stage leads to its first open step. Texts and addresses are escaped."""
    plan, layout = view.plan, view.plan.layout
    faces = _faces(plan, looks)
    pieces = [
        f'<svg class="plan-map" width="{layout.width}" height="{layout.height}" role="group"',
        f' aria-label="{escape(view.title)}">',
        *_glyphs(faces.values()),
        *map(_tray, layout.trays),
        *_labels(layout),
        *_lines(layout),
        *(piece for row in _rows(layout.boxes) for piece in _row(row, faces, view.address)),
        "</svg>",
    ]
    return mark_safe("".join(pieces))  # noqa: S308 - every text and address is escaped where it is written


def _faces(plan: PlanMap, looks: Callable[[str], Look]) -> Mapping[str, _Face]:
    if plan.folds:
        return {fold.key: _fold_face(fold, looks) for fold in plan.folds}
    return {step.key: _step_face(step, looks) for step in plan.steps}


def _step_face(step: MapStep, looks: Callable[[str], Look]) -> _Face:
    look = looks(step.known.state)
    word = step.known.word or look.word
    kind = "Gate " if step.gate else ""
    remarks = [word, *(["bottleneck"] if step.bottleneck else []), *(["next"] if step.following else [])]
    says = f"{kind}{step.key}: {step.title}. {', '.join(remarks)}. {step.known.sentence}".strip()
    following = NEXT if step.following else ""
    sign = BOTTLENECK if step.bottleneck else following
    return _Face(look, step.key, word, says, _classes(look, step.critical, step.bottleneck), step.key, sign)


def _fold_face(fold: MapFold, looks: Callable[[str], Look]) -> _Face:
    look = looks("complete" if fold.total and fold.done == fold.total else "pending")
    word = f"{fold.done} of {fold.total} done"
    says = f"{fold.title}: {word}{', the bottleneck is in it' if fold.bottleneck else ''}"
    classes = _classes(look, critical=False, bottleneck=fold.bottleneck)
    return _Face(look, fold.title, word, says, classes, fold.step, BOTTLENECK if fold.bottleneck else "")


def _classes(look: Look, critical: bool, bottleneck: bool) -> str:
    extra = (" map-critical" if critical else "") + (" map-bottleneck" if bottleneck else "")
    return f"chip-{look.tone} map-step{extra}"


def _labels(layout: MapLayout) -> Iterator[str]:
    """Those of a batch together, counted from its side, as boxes are counted from that of their row."""
    side = 0
    yield "<g>"
    for label in layout.labels:
        if label.kind != "lane":
            side = label.x
            yield f'</g><g transform="translate({side})">'
        yield _text(label.text, label.x - side, label.y, layout.width, f"map-{label.kind}")
    yield "</g>"


def _rows(boxes: Iterable[Box]) -> Iterator[Sequence[Box]]:
    """Neighbours of one height. Inside a row places are counted from its first box, so that equal rows are
    equal text, and all of them are sent as little more than one."""
    for _, row in groupby(boxes, key=lambda box: box.y):
        yield list(row)


def _row(row: Sequence[Box], faces: Mapping[str, _Face], address: Address) -> Iterator[str]:
    yield f'<g transform="translate({row[0].x} {row[0].y})">'
    for box in row:
        face = faces[box.key]
        yield from _box(box, box.x - row[0].x, face, address(face.step))
    yield "</g>"


def _box(box: Box, x: int, face: _Face, href: str) -> Iterator[str]:
    """Out of the order of the Tab key: the list has the same links, one below the other. What differs stands
    close together."""
    gate = " map-gate" if box.shape in (BoxShape.BAR, BoxShape.GATE) else ""
    yield f'<a transform="translate({x})" class="{face.classes}{gate}" tabindex="-1" href="{escape(href)}">'
    if box.shape is BoxShape.BAR:
        stem = (WIDTH - STEM) // 2
        yield f'<rect class="map-stem" x="{stem}" y="{HEIGHT}" width="{STEM}" height="{box.stem}"/>'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
    yield f'<use class="glyph" href="#{_glyph_id(face.look)}" x="8" y="7" width="12" height="12"/>'
    yield _text(face.word, 8, 33, WIDTH - 12, "map-word")
    if face.sign:
        yield _text(face.sign, WIDTH - 16, 17, WIDTH, "map-sign")
    yield f"<title>{escape(face.says)}</title>"
    yield _text(face.name, 26, 17, WIDTH - 44, "map-key")
    yield "</a>"


def _glyphs(faces: Iterable[_Face]) -> Iterator[str]:
    """The shapes of the states, once each."""
    for look in dict.fromkeys(face.look for face in faces):
        yield f'<symbol id="{_glyph_id(look)}" viewBox="0 0 12 12">{look.glyph}</symbol>'


def _glyph_id(look: Look) -> str:
    return f"map-{look.word.replace(' ', '-')}"


def _text(text: str, x: int, y: int, width: int, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" aria-hidden="true">{escape(fit(text, width))}</text>'


def _tray(tray: Tray) -> str:
    place = f'x="{tray.x}" y="{tray.y}" width="{tray.width}" height="{tray.height}"'
    return f'<rect class="map-tray" {place} rx="6"/>'


def _lines(layout: MapLayout) -> Iterator[str]:
    """Those of the critical path above the others, each kind as one mark."""
    for kind, critical in (("map-line", False), ("map-path", True)):
        ways = "".join(_ways(line for line in layout.lines if line.critical is critical))
        if ways:
            yield f'<path class="{kind}" d="{ways}"/>'


def _ways(lines: Iterable[MapLine]) -> Iterator[str]:
    """Each begins in steps from where the one before it ends: equal ways are equal text."""
    x, y = 0, 0
    for line in lines:
        yield f"m{line.x1 - x} {line.y1 - y}{_way(line)}"
        x, y = line.x2, line.y2


def _way(line: MapLine) -> str:
    """From the end of one step to the beginning of another."""
    wide, high = line.x2 - line.x1, line.y2 - line.y1
    if line.bend:
        low = HEIGHT // 2 + 6
        return f"c12 0 0 {low} 24 {low}h{wide - 48}c24 0 12 {high - low} 24 {high - low}"
    if not high:
        return f"h{wide}"
    half = max(wide // 2, 14)
    return f"c{half} 0 {wide - half} {high} {wide} {high}"
