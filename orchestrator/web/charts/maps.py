"""The map of a plan as SVG: what `core/plans/map_layout.py` has placed, with words, shapes and links."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple

from django.utils.safestring import SafeString, mark_safe

from orchestrator.core.plans.map_layout import HEIGHT, STEM, WIDTH, Box, Line, MapLayout, Shape, fit
from orchestrator.core.plans.plan_map import MapFold, MapStep, PlanMap

#: The address of a step by its key.
Address = Callable[[str], str]
#: A larger map has a page of its own: a page that is read often stays light.
MOST_INLINE: Final = 60


class Look(NamedTuple):
    """A state as colour, shape (inner SVG on 12 by 12) and word."""

    tone: str
    glyph: str
    word: str


class ListedStep(NamedTuple):
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
    def listed(self) -> Sequence[ListedStep]:
        return [ListedStep(step, self.address(step.key)) for step in self.plan.steps]

    @property
    def folded(self) -> Sequence[tuple[MapFold, str]]:
        return [(fold, self.address(fold.step) if fold.step else "") for fold in self.plan.folds]


class _Face(NamedTuple):
    """What a box shows: `says` is its whole text, for those who do not see the rest."""

    look: Look
    name: str
    word: str
    says: str
    classes: str
    step: str


def draw_map(view: MapView, looks: Callable[[str], Look]) -> SafeString:
    """The drawing; a folded batch or stage leads to its first open step. Texts and addresses are escaped."""
    plan, layout = view.plan, view.plan.layout
    faces = _faces(plan, looks)
    pieces = [
        f'<svg class="plan-map" width="{layout.width}" height="{layout.height}" role="group"',
        f' aria-label="{escape(view.title)}">',
        *(
            f'<rect class="map-tray" x="{tray.x}" y="{tray.y}" width="{tray.width}" height="{tray.height}" rx="6"/>'
            for tray in layout.trays
        ),
        *(
            f'<text class="map-{label.kind}" x="{label.x}" y="{label.y}" aria-hidden="true">{escape(label.text)}</text>'
            for label in layout.labels
        ),
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
    shown = "Bottleneck" if step.bottleneck else f"Next: {word.lower()}" if step.following else word
    return _Face(look, step.key, shown, says, _classes(look, step.critical, step.bottleneck), step.key)


def _fold_face(fold: MapFold, looks: Callable[[str], Look]) -> _Face:
    look = looks("complete" if fold.total and fold.done == fold.total else "pending")
    word = f"{fold.done} of {fold.total} done"
    says = f"{fold.title}: {word}{', the bottleneck is in it' if fold.bottleneck else ''}"
    return _Face(
        look, fold.title, word, says, _classes(look, critical=False, bottleneck=fold.bottleneck), fold.step
    )


def _classes(look: Look, critical: bool, bottleneck: bool) -> str:
    extra = (" map-critical" if critical else "") + (" map-bottleneck" if bottleneck else "")
    return f"chip-{look.tone} map-step{extra}"


def _box(box: Box, face: _Face, href: str) -> Iterator[str]:
    """Out of the order of the Tab key: the list has the same links, one below the other."""
    gate = " map-gate" if box.shape in (Shape.BAR, Shape.GATE) else ""
    yield f'<a class="{face.classes}{gate}" href="{escape(href)}" tabindex="-1" aria-label="{escape(face.says)}">'
    yield f"<title>{escape(face.says)}</title>"
    if box.shape is Shape.BAR:
        x = box.x + (WIDTH - STEM) // 2
        yield f'<rect class="map-stem" x="{x}" y="{box.y + HEIGHT}" width="{STEM}" height="{box.stem}"/>'
    yield f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
    yield f'<svg class="glyph" x="{box.x + 8}" y="{box.y + 7}" width="12" height="12" viewBox="0 0 12 12">{face.look.glyph}</svg>'
    yield f'<text class="map-key" x="{box.x + 26}" y="{box.y + 17}">{escape(fit(face.name, WIDTH - 32))}</text>'
    yield f'<text x="{box.x + 8}" y="{box.y + 33}">{escape(fit(face.word, WIDTH - 12))}</text></a>'


def _lines(layout: MapLayout) -> Iterator[str]:
    """Those of the critical path above the others."""
    for line in sorted(layout.lines, key=lambda one: one.critical):
        yield f'<path class="{"map-path" if line.critical else "map-line"}" d="{_way(line)}"/>'


def _way(line: Line) -> str:
    if line.y1 == line.y2 and not line.bend:
        return f"M{line.x1} {line.y1}H{line.x2}"
    if line.bend:
        low = line.y1 + HEIGHT // 2 + 6
        first, last = line.x1 + 12, line.x2 - 12
        return f"M{line.x1} {line.y1}C{first} {line.y1} {line.x1} {low} {first + 12} {low}H{last - 12}C{line.x2} {low} {last} {line.y2} {line.x2} {line.y2}"
    half = max((line.x2 - line.x1) // 2, 14)
    return f"M{line.x1} {line.y1}C{line.x1 + half} {line.y1} {line.x2 - half} {line.y2} {line.x2} {line.y2}"
