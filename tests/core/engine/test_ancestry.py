"""What a step builds on is what has to be done again before it: the reverse of a send-back (FR-021)."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.engine.ancestry import ancestors
from orchestrator.core.engine.order import Place
from orchestrator.core.engine.rework import to_redo
from orchestrator.core.engine.values import TaskView


def task(
    key: str, place: tuple[int, int, int, int], needs: tuple[str, ...] = (), parallel: bool = False
) -> TaskView:
    return TaskView(key=key, place=Place(*place), needs=needs, parallel=parallel)


PLAN = (
    task("S1", (0, 0, 0, 0)),
    task("A1", (0, 1, 0, 0)),
    task("A2", (0, 1, 0, 1), parallel=True),
    task("A3", (0, 1, 0, 2), parallel=True),
    task("B1", (0, 1, 1, 0)),
    task("B2", (0, 1, 1, 1), needs=("A2",)),
    task("D1", (0, 2, 0, 0)),
)


def test_earlier_batches_and_the_own_thread_come_before_a_step():
    assert ancestors(PLAN, "A2") == ("S1", "A1")
    assert ancestors(PLAN, "D1") == ("S1", "A1", "B1", "A2", "B2", "A3")


def test_parallel_neighbours_do_not_build_on_each_other():
    assert "A2" not in ancestors(PLAN, "A3")


def test_needs_are_followed_back_to_their_own_beginnings():
    assert ancestors(PLAN, "B2") == ("S1", "A1", "B1", "A2")


@st.composite
def plans(draw: st.DrawFn) -> tuple[TaskView, ...]:
    found: list[TaskView] = []
    for batch in range(draw(st.integers(1, 3))):
        for thread in range(draw(st.integers(1, 3))):
            for position in range(draw(st.integers(1, 3))):
                earlier = [t.key for t in found if t.place[:2] <= (0, batch)]
                needs = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)) if earlier else []
                key = f"T{batch}{thread}{position}"
                found.append(task(key, (0, batch, thread, position), tuple(needs), draw(st.booleans())))
    return tuple(found)


@given(plans())
def test_a_step_builds_on_exactly_what_it_is_done_again_after(tasks):
    for one in tasks:
        for other in tasks:
            after = other.key != one.key and other.key in to_redo(tasks, one.key)
            assert (one.key in ancestors(tasks, other.key)) == after
