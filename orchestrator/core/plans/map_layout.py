"""Where the boxes and lines of a plan's map stand: batches from left to right, threads one below the other,
gates as bars (FR-002, WF-3).

A pure function of the plan, linear in its steps and dependencies. Lengths are pixels. No two boxes overlap,
and every dependency has a line; between batches, where all wait for all (BX-4), lines meet in one point.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from orchestrator.core.plans.graph import Graph, Group, compile_graph, sorted_group
from orchestrator.core.plans.plan import BatchSpec, PlacedStep, Plan, StageSpec, StepSpec, ThreadSpec

#: So many boxes stand on a map; a larger plan is folded by batch, one of more batches by stage.
MOST_BOXES: Final = 500
WIDTH, HEIGHT = 116, 40
STEM: Final = 8
BETWEEN, BELOW, BESIDE = 26, 10, 40
PAD, LANE_LABEL = 12, 18
STAGE_LINE, BATCH_LINE, HEAD_TOP, TRAY_TOP = 12, 36, 24, 44
FOLD_WIDTH: Final = 480
_LETTER, _WIDE_LETTER, _WIDE_FROM = 7, 13, 0x2E80


class BoxShape(StrEnum):
    """What a box is: a step, a gate among steps, a gate as a bar, or a folded batch or stage."""

    STEP = "step"
    GATE = "gate"
    BAR = "bar"
    FOLD = "fold"


class Box(NamedTuple):
    """A place for a step, by its key; of a bar it is the head, and `stem` the height of the bar below."""

    key: str
    x: int
    y: int
    shape: BoxShape
    stem: int = 0

    @property
    def middle(self) -> int:
        return self.y + HEIGHT // 2

    def leaves(self, toward: int) -> tuple[int, int]:
        """Where a line to something at the height `toward` begins."""
        if self.shape is BoxShape.BAR:
            return self.x + (WIDTH + STEM) // 2, self._on_stem(toward)
        return self.x + WIDTH, self.middle

    def arrives(self, from_height: int) -> tuple[int, int]:
        """Where a line from something at that height ends."""
        if self.shape is BoxShape.BAR:
            return self.x + (WIDTH - STEM) // 2, self._on_stem(from_height)
        return self.x, self.middle

    def _on_stem(self, height: int) -> int:
        top = self.y + HEIGHT
        return min(max(height, top + 2), top + self.stem - 2)


class Tray(NamedTuple):
    """The field of a batch."""

    x: int
    y: int
    width: int
    height: int


class Label(NamedTuple):
    """A text that fits its place; `kind` is stage, batch or lane."""

    text: str
    x: int
    y: int
    kind: str


class MapLine(NamedTuple):
    """From one step to one that waits for it; "" is a point where the lines between two batches meet.

    `bend` leads it below the boxes between the two.
    """

    before: str
    after: str
    x1: int
    y1: int
    x2: int
    y2: int
    critical: bool = False
    bend: bool = False


@dataclass(frozen=True, slots=True)
class MapLayout:
    """A drawing of `width` by `height`. `folded` is what a box stands for: step, batch or stage."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    trays: tuple[Tray, ...] = ()
    labels: tuple[Label, ...] = ()
    lines: tuple[MapLine, ...] = ()
    folded: str = "step"


def lay_out(plan: Plan, path: Sequence[str] = (), most: int = MOST_BOXES) -> MapLayout:
    """The map of a plan; `path` is its critical path. A plan of more than `most` steps is folded."""
    graph = compile_graph(plan)
    if len(graph.keys) > most:
        return fold(plan, most)
    placing = _Placing(graph)
    for stage in plan.stages:
        placing.stage(stage)
    height = max((tray.y + tray.height for tray in placing.trays), default=TRAY_TOP + HEIGHT + 2 * PAD)
    boxes = {key: _with_stem(box, height) for key, box in placing.boxes.items()}
    lines = tuple(_MapLines(graph, boxes, placing.edges, path).all())
    return MapLayout(
        placing.x, height + PAD, tuple(boxes.values()), tuple(placing.trays), tuple(placing.labels), lines
    )


def _with_stem(box: Box, height: int) -> Box:
    return box._replace(stem=height - box.y - HEIGHT) if box.shape is BoxShape.BAR else box


class _Placing:
    """Places batch by batch; `x` is where the next one begins, `edges` the right edge of each group."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.x = graph, PAD
        self.seen: set[str] = set()
        self.boxes: dict[str, Box] = {}
        self.trays: list[Tray] = []
        self.labels: list[Label] = []
        self.edges: list[int] = []

    def stage(self, stage: StageSpec) -> None:
        start = self.x
        for batch in stage.batches:
            threads = [(thread, self._new(thread)) for thread in batch.threads]
            steps = [step for _, own in threads for step in own]
            if steps and all(step.gate for step in steps):
                self._bars(steps)
            elif steps:
                self._tray(batch, [(thread, own) for thread, own in threads if own])
        if self.x > start:
            self.labels.append(
                Label(
                    fit(f"Stage {stage.number}: {stage.name}", self.x - start - BESIDE),
                    start,
                    STAGE_LINE,
                    "stage",
                )
            )

    def _new(self, thread: ThreadSpec) -> list[StepSpec]:
        """Of steps with the same key only the first counts."""
        steps = []
        for step in thread.steps:
            if step.key not in self.seen:
                self.seen.add(step.key)
                steps.append(step)
        return steps

    def _bars(self, steps: Iterable[StepSpec]) -> None:
        for step in steps:
            self.boxes[step.key] = Box(step.key, self.x, HEAD_TOP, BoxShape.BAR)
            self.x += WIDTH + BESIDE
        self.edges.append(self.x - BESIDE)

    def _tray(self, batch: BatchSpec, threads: Sequence[tuple[ThreadSpec, list[StepSpec]]]) -> None:
        group = self.graph.groups[len(self.edges)]
        depth = depths(self.graph, group)
        columns = 1 + max(depth.values())
        width = columns * WIDTH + (columns - 1) * BETWEEN + 2 * PAD
        self.labels.append(
            Label(fit(f"{batch.prefix} {batch.name}".strip(), width), self.x, BATCH_LINE, "batch")
        )
        y = TRAY_TOP + PAD // 2
        for thread, steps in threads:
            lane = Label(fit(f"{thread.lane}: {thread.name}", width - 2 * PAD), self.x + PAD, y + 12, "lane")
            self.labels.append(lane)
            y = self._lane(steps, depth, y + LANE_LABEL)
        self.trays.append(Tray(self.x, TRAY_TOP, width, y + PAD // 2 - TRAY_TOP))
        self.x += width
        self.edges.append(self.x)
        self.x += BESIDE

    def _lane(self, steps: Iterable[StepSpec], depth: Mapping[str, int], top: int) -> int:
        """The boxes of a thread, parallel ones one below the other; where the next lane starts."""
        filled: dict[int, int] = defaultdict(int)
        for step in steps:
            column = depth[step.key]
            x = self.x + PAD + column * (WIDTH + BETWEEN)
            y = top + filled[column] * (HEIGHT + BELOW)
            self.boxes[step.key] = Box(step.key, x, y, BoxShape.GATE if step.gate else BoxShape.STEP)
            filled[column] += 1
        return top + max(filled.values()) * (HEIGHT + BELOW)


def depths(graph: Graph, group: Group) -> dict[str, int]:
    """The column of each step: how many of its batch have to end one after another before it."""
    members = frozenset(group.members)
    depth: dict[str, int] = {}
    for key in sorted_group(graph, group) or group.members:
        before = (depth[edge.key] for edge in graph.needs[key] if edge.key in members and edge.key in depth)
        depth[key] = 1 + max(before, default=-1)
    return depth


class _MapLines:
    """Every line once, those of the critical path marked."""

    def __init__(
        self, graph: Graph, boxes: Mapping[str, Box], edges: Sequence[int], path: Sequence[str]
    ) -> None:
        self.graph, self.boxes, self.edges = graph, boxes, edges
        self.path = frozenset(pairwise(path))
        self.drawn: set[tuple[str, str]] = set()
        self.rows: dict[int, list[int]] = defaultdict(list)
        for box in sorted(boxes.values(), key=lambda one: one.x):
            self.rows[box.middle].append(box.x)

    def all(self) -> Iterator[MapLine]:
        for key in self.graph.keys:
            yield from (self._line(before, key) for before in self.graph.needed(key))
        for number, (earlier, later) in enumerate(pairwise(self.graph.groups)):
            yield from self._between(self._last(earlier), self._first(later), self.edges[number])
        yield from (self._line(*pair) for pair in sorted(self.path - self.drawn))

    def _line(self, before: str, after: str) -> MapLine:
        self.drawn.add((before, after))
        start, end = self.boxes[before], self.boxes[after]
        x1, y1 = start.leaves(end.middle)
        x2, y2 = end.arrives(y1)
        y1 = start.leaves(y2)[1]
        bend = y1 == y2 and self._is_between(x1, x2, y1)
        return MapLine(before, after, x1, y1, x2, y2, (before, after) in self.path, bend)

    def _is_between(self, left: int, right: int, height: int) -> bool:
        """Whether a box stands in the way of a straight line."""
        row = self.rows.get(height, [])
        place = bisect_left(row, left)
        return place < len(row) and row[place] < right

    def _last(self, group: Group) -> list[str]:
        """Those that no other step of the batch waits for."""
        awaited = {edge.key for key in group.members for edge in self.graph.needs[key]}
        return [key for key in group.members if key not in awaited] or list(group.members)

    def _first(self, group: Group) -> list[str]:
        members = frozenset(group.members)
        return [key for key in group.members if members.isdisjoint(self.graph.needed(key))] or list(
            group.members
        )

    def _between(self, last: Sequence[str], first: Sequence[str], edge: int) -> Iterator[MapLine]:
        """All of `first` wait for all of `last`; what a step names has its line already."""
        if len(last) == 1 or len(first) == 1:
            pairs = ((before, after) for before in last for after in first)
            yield from (self._line(*pair) for pair in pairs if pair not in self.drawn)
            return
        heights = [self.boxes[key].middle for key in (*last, *first)]
        x, y = edge + BESIDE // 2, (min(heights) + max(heights)) // 2
        pairs_on_path = self.path - self.drawn
        leaving, entering = set(last), set(first)
        met = {pair for pair in pairs_on_path if pair[0] in leaving and pair[1] in entering}
        self.drawn |= met
        starts, ends = {before for before, _ in met}, {after for _, after in met}
        for key in last:
            x1, y1 = self.boxes[key].leaves(y)
            yield MapLine(key, "", x1, y1, x, y, key in starts)
        for key in first:
            x2, y2 = self.boxes[key].arrives(y)
            yield MapLine("", key, x, y, x2, y2, key in ends)


def fold(plan: Plan, most: int = MOST_BOXES) -> MapLayout:
    """A box for each batch, one row a stage; where there are more of them than `most`, a box for each stage.

    Keys are those of `batch_key` and `stage_key`. What has no step has no box.
    """
    keys: dict[int, dict[str, None]] = defaultdict(dict)
    for placed in plan.placed_steps():
        keys[placed.place[0]].setdefault(batch_key(placed))
    by_batch = sum(map(len, keys.values())) <= most
    rows = [list(own) for own in keys.values()] if by_batch else [[str(stage) for stage in keys]]
    boxes: list[Box] = []
    for number, row in enumerate(rows):
        y = TRAY_TOP + number * (HEIGHT + TRAY_TOP)
        boxes += (Box(key, PAD + n * (WIDTH + BESIDE), y, BoxShape.FOLD) for n, key in enumerate(row))
    names = [f"Stage {plan.stages[number].number}: {plan.stages[number].name}" for number in keys]
    labels = tuple(
        Label(fit(name, FOLD_WIDTH - 2 * PAD), PAD, TRAY_TOP - PAD + number * (HEIGHT + TRAY_TOP), "stage")
        for number, name in enumerate(names if by_batch else [])
    )
    lines = tuple(
        MapLine(box.key, after.key, box.x + WIDTH, box.middle, after.x, after.middle)
        for box, after in pairwise(boxes)
    )
    width = max((box.x + WIDTH + PAD for box in boxes), default=0)
    height = max((box.y + HEIGHT + PAD for box in boxes), default=0)
    folded = "batch" if by_batch else "stage"
    return MapLayout(max(width, FOLD_WIDTH), height, tuple(boxes), (), labels, lines, folded)


def batch_key(placed: PlacedStep) -> str:
    """The box of a step's batch on a folded map: positions of stage and batch."""
    stage, batch = placed.place[:2]
    return f"{stage}.{batch}"


def stage_key(placed: PlacedStep) -> str:
    return str(placed.place[0])


def fit(text: str, width: int) -> str:
    """The text, shortened with an ellipsis to about so many pixels."""
    left = width
    for place, letter in enumerate(text):
        left -= _WIDE_LETTER if ord(letter) >= _WIDE_FROM else _LETTER
        if left < 0:
            return text[: max(place - 1, 1)].rstrip() + "…"
    return text
