"""A commit to the workspace with little and with much in it: CPU, and its growth (WF-7, FR-014)."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from orchestrator.core.files.handoff import artifact_path
from orchestrator.core.terms import EventType
from orchestrator.workspace import Workspace, store
from tests.benchmarks.floors import judge

AT: Final = datetime(2026, 11, 30, tzinfo=UTC)
SIZES: Final = (500, 8000)
REPEATS: Final = 20
PORTION: Final = 500
#: Milliseconds of a commit in one flat folder, with git's index written each time.
BEFORE: Final = {500: 4.2, 8000: 28.6}
MOST_GROWTH: Final = 1.3


def _handoffs(first: int, beyond: int) -> dict[str, bytes]:
    names = (artifact_path("long", n, f"S{n}", EventType.ATTEMPT_COMPLETED) for n in range(first, beyond))
    return {name: name.encode() for name in names}


def measure() -> None:
    """A line for each size: the mean of commits of one artifact, as acts make them between state files."""
    print(f"\n{'a commit of one artifact to':44} ms CPU   before")
    spent = {}
    store.wait_for_the_disk(False)
    with tempfile.TemporaryDirectory() as folder:
        space, held = Workspace(Path(folder) / "workspace"), 0
        for size in SIZES:
            for first in range(held, size, PORTION):
                _write(space, first, first + PORTION)
            costs = [_cost(space, size + place) for place in range(REPEATS)]
            spent[size], held = median(costs), size + REPEATS
            print(f"{f'a workspace of {size}':44} {spent[size]:6.1f}   {BEFORE[size]:6.1f}", flush=True)
    store.wait_for_the_disk(True)
    growth = spent[SIZES[-1]] / spent[SIZES[0]]
    print(f"{'growth':44} {growth:6.2f}   {judge('growth of a commit', growth, MOST_GROWTH)}")


def _cost(space: Workspace, number: int) -> float:
    start = time.process_time()
    _write(space, number, number + 1)
    return 1000 * (time.process_time() - start)


def _write(space: Workspace, first: int, beyond: int) -> None:
    with space.locked():
        space.write(_handoffs(first, beyond), "handoffs\n", AT, listed=False)
