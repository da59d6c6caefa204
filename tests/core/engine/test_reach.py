"""How many steps stand behind each step of a plan (FR-015)."""

import time

from hypothesis import given

from orchestrator.core.engine.reach import reach
from orchestrator.core.engine.rework import to_redo
from orchestrator.core.engine.values import Snapshot
from tests.core.engine.test_schedule import snapshots, task


@given(snapshots())
def test_it_counts_what_would_be_done_again_beside_the_step(snapshot: Snapshot) -> None:
    views = snapshot.tasks
    assert reach(views) == {view.key: len(to_redo(views, view.key)) - 1 for view in views}


def test_ten_thousand_steps_in_one_thread_are_counted_at_once() -> None:
    steps = [task(f"S{number}", (0, 0, 0, number)) for number in range(10_000)]
    begun = time.perf_counter()
    found = reach(steps)
    assert (found["S0"], found["S9999"]) == (9_999, 0)
    assert time.perf_counter() - begun < 5
