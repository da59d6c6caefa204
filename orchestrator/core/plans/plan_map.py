"""A plan's map with what is known of each step: the drawing and the list have the same facts (FR-002)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.plans.map_layout import MapLayout, batch_key, lay_out, stage_key
from orchestrator.core.plans.plan import PlacedStep, Plan

#: Terms of a step with which it has ended.
_ENDED = frozenset({"complete", "skipped", "cancelled"})


class StepKnown(NamedTuple):
    """What is known of a step: the term of its state, other words for it, and where it stands."""

    state: str
    word: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class MapStep:
    """A step on the map; `key` is that of its box, `place` names stage, batch and thread."""

    key: str
    title: str
    place: str
    known: StepKnown
    needs: tuple[str, ...] = ()
    gate: bool = False
    critical: bool = False
    bottleneck: bool = False
    following: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class MapFold:
    """A folded batch or stage: how many of its steps have ended, and whether the bottleneck is in it.

    `step` is its first open step, or the first of all when none is open.
    """

    key: str
    title: str
    total: int
    done: int
    step: str
    bottleneck: bool = False


@dataclass(frozen=True, slots=True)
class PlanMap:
    """`steps` in plan order, whether or not they have a box of their own; `folds` where they have none."""

    layout: MapLayout
    steps: tuple[MapStep, ...]
    folds: tuple[MapFold, ...]
    path: tuple[str, ...]
    bottleneck: str
    following: str


def plan_map(
    plan: Plan,
    known: Mapping[str, StepKnown],
    path: Sequence[str],
    bottleneck: str = "",
    following: str = "",
    *,
    most_drawn: int | None = None,
) -> PlanMap:
    """The map of a plan whose steps stand as `known` says; `path` is the critical path of what is left.

    A plan of more steps than `most_drawn` gets no layout, for a page that only says how many there are.
    """
    critical = frozenset(path)
    steps: dict[str, MapStep] = {}
    for placed in plan.placed_steps():
        step = placed.step
        steps.setdefault(
            step.key,
            MapStep(
                key=step.key,
                title=step.title,
                place=f"Stage {placed.stage.number}, batch {placed.batch.prefix}, {placed.thread.name}",
                known=known.get(step.key, StepKnown("pending")),
                needs=tuple(need.key for need in step.needs),
                gate=step.gate is not None,
                critical=step.key in critical,
                bottleneck=step.key == bottleneck,
                following=step.key == following,
                line=step.line,
            ),
        )
    drawn = most_drawn is None or len(steps) <= most_drawn
    layout = lay_out(plan, path) if drawn else MapLayout(0, 0, ())
    folds = tuple(_folds(plan, steps, layout.folded)) if layout.folded != "step" else ()
    return PlanMap(layout, tuple(steps.values()), folds, tuple(path), bottleneck, following)


def _folds(plan: Plan, steps: Mapping[str, MapStep], folded: str) -> Iterator[MapFold]:
    key_of = stage_key if folded == "stage" else batch_key
    titles: dict[str, str] = {}
    total, done = Counter[str](), Counter[str]()
    first: dict[str, str] = {}
    marked = ""
    for placed in plan.placed_steps():
        key, step = key_of(placed), steps[placed.step.key]
        titles.setdefault(key, _title(placed, folded))
        over = step.known.state in _ENDED
        if key not in first or (done[key] == total[key] and not over):
            first[key] = step.key
        total[key] += 1
        done[key] += over
        marked = key if step.bottleneck else marked
    for key, title in titles.items():
        yield MapFold(key, title, total[key], done[key], first[key], key == marked)


def _title(placed: PlacedStep, folded: str) -> str:
    if folded == "stage":
        return f"{placed.stage.number} {placed.stage.name}"
    return f"{placed.batch.prefix} {placed.batch.name}".strip()
