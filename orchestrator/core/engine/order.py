"""The orders that work stands in, and which steps of a thread run together.

Three orders, each with its twin in SQL (`queries/base/order.py`):

- plan order, as the text has it: stage, batch, thread, step (`Place`);
- launch order, the scheduler's inside a workstream: stage, batch, step, key (`OrderKey`, EC-2);
- rank, across workstreams: priority, registration, id (`Rank`, AD-3).

Neighbouring parallel steps of a thread are a run: they start together and join before the next one. Every
other step is a run of its own (BX-2).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple


class OrderKey(NamedTuple):
    """Launch order: 0-based positions of stage, batch and step (in its thread); ties are lexical (EC-2)."""

    stage: int
    batch: int
    step: int
    key: str


class Place(NamedTuple):
    """Where a step stands: 0-based positions of its stage, batch, thread, and of itself in the thread."""

    stage: int
    batch: int
    thread: int
    position: int

    def launch_key(self, key: str) -> OrderKey:
        """What a step with this key is sorted by for launching."""
        return OrderKey(self.stage, self.batch, self.position, key)


class Rank(NamedTuple):
    """Which of several workstreams comes first: the highest priority, then who registered first (AD-3)."""

    descent: int
    registered: datetime
    number: int

    @classmethod
    def of(cls, priority: int, registered: datetime, number: int) -> "Rank":
        return cls(-priority, registered, number)


def runs_of(parallel: Iterable[bool]) -> list[int]:
    """The number of the run, from 0, that each step of one thread is in.

    `parallel` says of each step, in the order of the thread, whether it is parallel.
    """
    runs: list[int] = []
    before = False
    for this in parallel:
        if not runs:
            runs.append(0)
        else:
            runs.append(runs[-1] if before and this else runs[-1] + 1)
        before = this
    return runs


def run_around(parallel: Sequence[bool], position: int) -> range:
    """The positions of the run that the step at a position of its thread is in."""
    runs = runs_of(parallel)
    first = runs.index(runs[position])
    return range(first, first + runs.count(runs[position]))


def number_runs(steps: Iterable[tuple[str, tuple[int, ...], bool]]) -> dict[str, int]:
    """The number of its run by key, for steps of many threads.

    Takes (key, thread, parallel) of every step, those of a thread in its order.
    """
    threads: dict[tuple[int, ...], list[tuple[str, bool]]] = {}
    for key, thread, parallel in steps:
        threads.setdefault(thread, []).append((key, parallel))
    numbers: dict[str, int] = {}
    for members in threads.values():
        runs = runs_of(parallel for _, parallel in members)
        numbers.update(zip((key for key, _ in members), runs, strict=True))
    return numbers
