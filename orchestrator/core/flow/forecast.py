"""When so many items will be done, and how many by a day: daily throughput drawn again and again (FR-013).

Every run draws whole days of the past, empty ones too, with a seed that is kept: the same history gives the
same forecast. Work is bounded: a long forecast draws several days at once, from the exact distribution of
their sum.
"""

import hashlib
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.flow.percentiles import SHOWN, nearest_rank

RUNS = 10_000
#: Kept, so that the same history gives the same forecast; a reader may ask for another one.
SEED = 4711
#: Fewer days of history than this say too little.
FEWEST_DAYS = 10
#: So many draws are made at most, and a forecast never looks further than this.
MOST_DRAWS = 600_000
FURTHEST_DAYS = 3_650
#: Draws that are made at once, and how many numbers two bytes can be.
BATCH, NUMBERS = 20_000, 65_536


@dataclass(frozen=True, slots=True)
class Forecast:
    """The outcome of all runs: how many of them gave each number (of days, or of items).

    `history` is the number of days that were drawn from; `step` says that several days were drawn at once, so
    that a number of days is known to so many.
    """

    runs: int
    seed: int
    history: int
    outcomes: dict[int, int]
    step: int = 1

    def within(self, percent: int) -> int:
        """The number that so many of the runs do not exceed: by when work is done with that certainty."""
        return _ranked(sorted(self.outcomes.items()), percent)

    def at_least(self, percent: int) -> int:
        """The number that so many of the runs reach: how much is done with that certainty."""
        return _ranked(sorted(self.outcomes.items(), reverse=True), percent)

    @property
    def percentiles(self) -> dict[int, int]:
        return {percent: self.within(percent) for percent in SHOWN}


def _ranked(outcomes: Sequence[tuple[int, int]], percent: int) -> int:
    values: list[int] = []
    for value, times in outcomes:
        values += [value] * times
    return nearest_rank(values, percent)


def refusal(history: Sequence[int]) -> str:
    """Why nothing is forecast from this history of finished items a day; empty when it is."""
    if len(history) < FEWEST_DAYS:
        days = "1 day" if len(history) == 1 else f"{len(history)} days"
        return f"{days} of history are too few for a forecast: it takes {FEWEST_DAYS}."
    if not any(history):
        return f"Nothing was finished in {len(history)} days, so there is nothing to forecast from."
    return ""


def when(history: Sequence[int], items: int, seed: int) -> Forecast:
    """In how many days so many items are done, counted from today; days over ten years are ten years.

    `history` is how many items were finished on each day; `refusal` is asked first.
    """
    usual_days = items * len(history) / sum(history)
    step = _step(usual_days)
    draw = _Draws(history, step, seed)
    outcomes: Counter[int] = Counter()
    for _run in range(RUNS):
        days, left = 0, items
        while left > 0 and days < FURTHEST_DAYS:
            days += step
            left -= draw.next()
        outcomes[days] += 1
    return Forecast(RUNS, seed, len(history), dict(outcomes), step)


def how_many(history: Sequence[int], days: int, seed: int) -> Forecast:
    """How many items are finished in so many days from today; `refusal` is asked first."""
    step = _step(days)
    whole, rest = divmod(days, step)
    draw, single = _Draws(history, step, seed), _Draws(history, 1, seed + 1)
    outcomes: Counter[int] = Counter()
    for _run in range(RUNS):
        done = sum(draw.several(whole)) + sum(single.several(rest))
        outcomes[done] += 1
    return Forecast(RUNS, seed, len(history), dict(outcomes))


def _step(days: float) -> int:
    """How many days are drawn at once so that all runs together stay within the bound."""
    return max(1, round(min(days, FURTHEST_DAYS) * RUNS / MOST_DRAWS))


class _Draws:
    """Draws of how much is finished in `step` days.

    They come from SHAKE-128 over the seed, two bytes for each: the same on every machine and release.
    """

    def __init__(self, history: Sequence[int], step: int, seed: int) -> None:
        self._table = _table(_sums(Counter(history), step))
        self._seed, self._batch = seed, 0
        self._stock: list[int] = []

    def next(self) -> int:
        if not self._stock:
            self._stock = self._more(BATCH)
        return self._stock.pop()

    def several(self, count: int) -> list[int]:
        if len(self._stock) < count:
            self._stock += self._more(BATCH)
        taken = self._stock[len(self._stock) - count :]
        del self._stock[len(self._stock) - count :]
        return taken

    def _more(self, count: int) -> list[int]:
        self._batch += 1
        drawn = hashlib.shake_128(f"{self._seed}/{self._batch}".encode()).digest(2 * count)
        numbers = array("H", drawn)
        if sys.byteorder == "big":
            numbers.byteswap()
        table = self._table
        return [table[number] for number in numbers]


def _table(chances: Mapping[int, float]) -> list[int]:
    """For each number that two bytes can be, the value that it draws: as many as its chance asks for."""
    table: list[int] = []
    reached = 0.0
    for value, chance in chances.items():
        reached += chance
        table += [value] * (round(reached * NUMBERS) - len(table))
    return table + [max(chances)] * (NUMBERS - len(table))


def _sums(days: Counter[int], step: int) -> dict[int, float]:
    """The distribution of the sum of so many days, each drawn from `days`."""
    total = sum(days.values())
    one = {value: times / total for value, times in sorted(days.items())}
    sums: dict[int, float] = {0: 1.0}
    for _day in range(step):
        longer: dict[int, float] = {}
        for value, chance in sums.items():
            for more, likely in one.items():
                longer[value + more] = longer.get(value + more, 0.0) + chance * likely
        sums = longer
    return sums
