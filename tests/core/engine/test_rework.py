"""FR-021: what is done again when work goes back; the linear rule against the plain one."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.engine.order import Place
from orchestrator.core.engine.rework import to_redo
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import TaskStatus


def task(
    key: str, *place: int, needs: tuple[str, ...] = (), parallel: bool = False, gate: bool = False
) -> TaskView:
    return TaskView(key, Place(*place), needs=needs, parallel=parallel, gate=gate)


def plain(tasks: list[TaskView], key: str) -> set[str]:
    """The rule as it is said, without any care for time."""
    by_key = {one.key: one for one in tasks}
    redo = {key}
    while True:
        more = {
            one.key
            for one in tasks
            if one.place[:2] > by_key[key].place[:2]
            or redo & set(one.needs)
            or any(
                other in redo
                and by_key[other].place[:3] == one.place[:3]
                and by_key[other].place.position < one.place.position
                and not (by_key[other].parallel and one.parallel)
                for other in by_key
            )
        }
        if more <= redo:
            return redo
        redo |= more


@st.composite
def plans(draw: st.DrawFn) -> list[TaskView]:
    tasks: list[TaskView] = []
    for batch in range(draw(st.integers(1, 3))):
        for thread in range(draw(st.integers(1, 3))):
            for position in range(draw(st.integers(1, 4))):
                known = [one.key for one in tasks]
                needs = draw(st.lists(st.sampled_from(known), max_size=2, unique=True)) if known else []
                key = f"K{len(tasks)}"
                tasks.append(
                    task(key, 0, batch, thread, position, needs=tuple(needs), parallel=draw(st.booleans()))
                )
    return tasks


@given(plans(), st.data())
def test_fr021_the_linear_rule_is_the_plain_rule(tasks: list[TaskView], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from([one.key for one in tasks]))
    found = to_redo(tasks, key)
    assert set(found) == plain(tasks, key)
    assert list(found) == [
        one.key for one in sorted(tasks, key=lambda one: one.order) if one.key in set(found)
    ]


def test_fr021_gates_and_skipped_steps_behind_it_are_done_again() -> None:
    skipped = TaskView("A2", Place(0, 0, 0, 1), status=TaskStatus.SKIPPED)
    tasks = [task("A1", 0, 0, 0, 0), skipped, task("B1", 0, 0, 1, 0), task("MP1", 0, 1, 0, 0, gate=True)]
    assert to_redo(tasks, "A1") == ("A1", "A2", "MP1")


def test_fr021_neighbouring_parallel_steps_do_not_follow_one_another() -> None:
    tasks = [task(f"P{n}", 0, 0, 0, n, parallel=n in {1, 2}) for n in range(4)]
    assert to_redo(tasks, "P1") == ("P1", "P3")


def test_fr021_a_step_looks_at_each_other_step_once() -> None:
    """Counted, not timed: how often the needs of a task are read does not grow with the plan."""
    read: list[str] = []

    class Counted(tuple):  # type: ignore[type-arg]
        def __iter__(self):  # type: ignore[no-untyped-def]
            read.append("once")
            return super().__iter__()

    size = 2_000
    tasks = [TaskView(f"K{n:05}", Place(0, 0, 0, n), needs=Counted()) for n in range(size)]
    assert len(to_redo(tasks, "K00000")) == size
    assert len(read) <= size
