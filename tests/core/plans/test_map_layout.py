"""Where a map's boxes and lines stand: none overlap, every dependency has a line (FR-002, WF-3)."""

from cProfile import Profile
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.plans.graph import bottleneck, compile_graph, critical_path, open_before
from orchestrator.core.plans.map_layout import HEIGHT, WIDTH, BoxShape, MapLayout, fit, lay_out
from orchestrator.core.plans.plan import BatchSpec, GateSpec, Need, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.plans.plan_map import StepKnown, plan_map
from orchestrator.core.terms import GateKind
from tests.core.plans.plan_examples import plan_of
from tests.core.plans.test_graph import plan

Drawn = tuple[int, int, int, int]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Stages of batches of threads; a step may need any other one, and keys may come twice."""
    count = draw(st.integers(1, 24))
    keys = [f"S{draw(st.integers(0, 40))}" for _ in range(count)]
    batches: list[list[list[StepSpec]]] = [[[]]]
    for key in keys:
        where = draw(st.sampled_from(["step", "thread", "batch"]))
        if where == "batch":
            batches.append([[]])
        elif where == "thread":
            batches[-1].append([])
        needs = tuple(Need(other) for other in draw(st.lists(st.sampled_from(keys), max_size=3)))
        gate = GateSpec(GateKind.REVIEW) if draw(st.integers(0, 4)) == 0 else None
        step = StepSpec(key, key, needs=needs, parallel=draw(st.booleans()), gate=gate)
        batches[-1][-1].append(step)
    specs = tuple(
        BatchSpec(f"{n:02}", "b", threads=tuple(ThreadSpec("1", "t", steps=tuple(own)) for own in threads))
        for n, threads in enumerate(batches)
    )
    cut = draw(st.integers(0, len(specs)))
    return Plan("p", (StageSpec(1, "s", batches=specs[:cut]), StageSpec(2, "s", batches=specs[cut:])))


def fields(layout: MapLayout) -> list[Drawn]:
    """Everything that covers what is below it: boxes, and the stems of bars."""
    found = [(box.x, box.y, box.x + WIDTH, box.y + HEIGHT) for box in layout.boxes]
    bars = [box for box in layout.boxes if box.shape is BoxShape.BAR]
    return found + [(box.x + 50, box.y + HEIGHT, box.x + 66, box.y + HEIGHT + box.stem) for box in bars]


def overlap(one: Drawn, other: Drawn) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def check(p: Plan) -> MapLayout:
    graph, path = compile_graph(p), critical_path(p)
    layout = lay_out(p, path)
    drawn = fields(layout)
    assert {box.key for box in layout.boxes} == set(graph.keys)
    assert len(layout.boxes) == len(graph.keys)
    assert not [(a, b) for n, a in enumerate(drawn) for b in drawn[:n] if overlap(a, b)]
    assert all(x >= 0 and right <= layout.width and bottom <= layout.height for x, _, right, bottom in drawn)
    lines = {(line.before, line.after): line for line in layout.lines}
    assert len(lines) == len(layout.lines) or "" in {end for pair in lines for end in pair}
    for key in graph.keys:
        assert all((before, key) in lines for before in graph.needed(key))
    for before, after in pairwise(path):
        direct = lines.get((before, after))
        met = (before, "") in lines and ("", after) in lines
        assert direct.critical if direct else met
    return layout


@given(plans())
def test_no_boxes_overlap_and_every_need_has_a_line(p: Plan) -> None:
    check(p)


def test_all_of_a_batch_leads_to_all_of_the_next_through_one_point() -> None:
    """Ten by ten are twenty lines, not a hundred (BX-4)."""
    layout = check(plan([[[f"a{n}"] for n in range(10)], [[f"b{n}"] for n in range(10)]]))
    assert len(layout.lines) == 20
    assert len({(line.x2, line.y2) for line in layout.lines if not line.after}) == 1
    assert {line.after for line in layout.lines if line.critical} == {"", "b0"}


def test_threads_are_lanes_and_a_merge_point_is_a_bar() -> None:
    merge = "### Merge Point MP1\n- **Trigger:** A1 + B1 complete\n"
    source = f"### Batch 1\n- A1: x\n- B1: y\n{merge}### Batch 2\n- C1: z\n"
    layout = check(plan_of(source))
    shapes = {box.key: box.shape for box in layout.boxes}
    assert (shapes["MP1"], shapes["A1"]) == (BoxShape.BAR, BoxShape.STEP)
    bar = next(box for box in layout.boxes if box.key == "MP1")
    into = [line for line in layout.lines if line.after == "MP1"]
    assert {line.before for line in into} >= {"A1", "B1"}
    assert all(bar.y + HEIGHT <= line.y2 <= bar.y + HEIGHT + bar.stem for line in into)


def test_a_line_over_a_box_bends_below_it() -> None:
    layout = check(plan([[["a", "b", "c<a"]]]))
    assert [(line.before, line.after) for line in layout.lines if line.bend] == [("a", "c")]


@pytest.mark.parametrize(("batches", "folded", "boxes"), [(51, "batch", 51), (600, "stage", 1)])
def test_a_plan_of_more_than_500_steps_is_folded(batches: int, folded: str, boxes: int) -> None:
    p = plan([[[f"k{b}n{n}" for n in range(10)]] for b in range(batches)])
    known = {f"k0n{n}": StepKnown("complete") for n in range(10)} | {"k1n0": StepKnown("skipped")}
    drawn = plan_map(p, known, (), "k1n1")
    assert (drawn.layout.folded, len(drawn.layout.boxes)) == (folded, boxes)
    assert {fold.key for fold in drawn.folds} == {box.key for box in drawn.layout.boxes}
    assert sum(fold.done for fold in drawn.folds) == 11
    held = next(fold for fold in drawn.folds if fold.bottleneck)
    assert held.step == "k1n1"


def test_a_plan_of_more_steps_than_are_drawn_is_not_laid_out_and_known_all_the_same() -> None:
    p = plan([[["a", "b", "c"]]])
    known = {"a": StepKnown("complete")}
    whole = plan_map(p, known, ("b", "c"), "b", "b")
    assert plan_map(p, known, ("b", "c"), "b", "b", most_drawn=3) == whole
    few = plan_map(p, known, ("b", "c"), "b", "b", most_drawn=2)
    assert few.layout.boxes == ()
    assert (few.steps, few.path, few.bottleneck) == (whole.steps, ("b", "c"), "b")


def test_the_layout_is_linear_in_steps() -> None:
    def calls(size: int) -> int:
        """How many functions are called for a plan of so many batches."""
        steps = plan([[[f"a{b}t{t}s{n}" for n in range(10)] for t in range(10)] for b in range(size)])
        path = critical_path(steps)
        profile = Profile()
        profile.enable()
        lay_out(steps, path, most=100_000)
        profile.disable()
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(20) < 2.3 * calls(10)


def test_a_text_is_shortened_to_its_place() -> None:
    assert fit("short", 100) == "short"
    assert fit("a name that is too long", 70) == "a name th…"
    assert len(fit("名前がとても長い", 70)) < len(fit("namesarelong", 70))


def test_bx6_bottleneck_can_be_worked_on_when_gates_take_no_time() -> None:
    """Timed plans count gates with nothing: an open one still comes before what it holds."""
    gate = StepSpec("G", "Gate", gate=GateSpec(GateKind.REVIEW))
    lane = (StepSpec("E", "Ended", estimate=30),)
    last = (StepSpec("X", "Next", estimate=10, needs=(Need("G"), Need("E"))),)
    threads = (ThreadSpec("1", "g", steps=(gate,)), ThreadSpec("2", "e", steps=lane))
    p = Plan(
        "p",
        (
            StageSpec(
                1, "s", batches=(BatchSpec("01", "b", threads=(*threads, ThreadSpec("3", "x", steps=last))),)
            ),
        ),
    )
    path = critical_path(p, {"E"})
    assert path == ("G", "X")
    graph = compile_graph(p)
    assert bottleneck(path, {key: open_before(graph, key, {"E"}) for key in graph.keys}.get) == "G"


def test_bx6_what_holds_the_files_of_the_path_is_the_bottleneck() -> None:
    assert bottleneck(["A", "B"], {"A": ("H",), "B": ("A",)}.get) == "H"
    assert bottleneck([], {}.get) == ""
    assert bottleneck(["A"], {"A": ("B",), "B": ("A",)}.get) == "A"
