"""Percentiles by nearest rank, which are always one of the values (FR-013)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

#: With fewer values than this nobody is told a percentile: the values themselves say more.
FEWEST = 10
#: The percentiles that figures and charts show.
SHOWN = (50, 85, 95)

Value = TypeVar("Value", int, float, timedelta)


def nearest_rank(ordered: Sequence[Value], percent: int) -> Value:
    """The smallest of the ordered values that at least `percent` per cent of them do not exceed.

    There is at least one value.
    """
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def percentiles(values: Sequence[Value]) -> dict[int, Value]:
    """Those that are shown, by their per cent; empty for fewer than ten values."""
    if len(values) < FEWEST:
        return {}
    ordered = sorted(values)
    return {percent: nearest_rank(ordered, percent) for percent in SHOWN}
