"""The map of a plan as SVG: what `core/plans/map_layout.py` has placed, with words, shapes and links."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
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
        *map(_tray, layout.trays),
        *(_text(label.text, label.x, label.y, layout.width, f"map-{label.kind}") for label in layout.labels),
        *_lines(layout),
        *(
            piece
            for box in layout.boxes
            for piece in _box(box, faces[box.key], view.address(faces[box.key].step))
        ),
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


def _box(box: Box, face: _Face, href: str) -> Iterator[str]:
    """Out of the order of the Tab key: the list has the same links, one below the other."""
    gate = " map-gate" if box.shape in (BoxShape.BAR, BoxShape.GATE) else ""
    says = escape(face.says)
    yield f'<a class="{face.classes}{gate}" href="{escape(href)}" tabindex="-1" aria-label="{says}">'
    yield f"<title>{says}</title>"
    if box.shape is BoxShape.BAR:
        x = box.x + (WIDTH - STEM) // 2
        yield f'<rect class="map-stem" x="{x}" y="{box.y + HEIGHT}" width="{STEM}" height="{box.stem}"/>'
    yield f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
    yield f'<svg class="glyph" x="{box.x + 8}" y="{box.y + 7}" width="12" height="12"'
    yield f' viewBox="0 0 12 12">{face.look.glyph}</svg>'
    yield _text(face.name, box.x + 26, box.y + 17, WIDTH - 44, "map-key")
    yield _text(face.word, box.x + 8, box.y + 33, WIDTH - 12, "map-word")
    if face.sign:
        yield _text(face.sign, box.x + WIDTH - 16, box.y + 17, WIDTH, "map-sign")
    yield "</a>"


def _text(text: str, x: int, y: int, width: int, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" aria-hidden="true">{escape(fit(text, width))}</text>'


def _tray(tray: Tray) -> str:
    place = f'x="{tray.x}" y="{tray.y}" width="{tray.width}" height="{tray.height}"'
    return f'<rect class="map-tray" {place} rx="6"/>'


def _lines(layout: MapLayout) -> Iterator[str]:
    """Those of the critical path above the others."""
    for line in sorted(layout.lines, key=lambda one: one.critical):
        yield f'<path class="{"map-path" if line.critical else "map-line"}" d="{_way(line)}"/>'


def _way(line: MapLine) -> str:
    x1, y1, x2, y2 = line.x1, line.y1, line.x2, line.y2
    if line.bend:
        low = y1 + HEIGHT // 2 + 6
        there = f"C{x1 + 12} {y1} {x1} {low} {x1 + 24} {low}"
        return f"M{x1} {y1}{there}H{x2 - 24}C{x2} {low} {x2 - 12} {y2} {x2} {y2}"
    if y1 == y2:
        return f"M{x1} {y1}H{x2}"
    half = max((x2 - x1) // 2, 14)
    return f"M{x1} {y1}C{x1 + half} {y1} {x2 - half} {y2} {x2} {y2}"
