"""Intervals of time in which something held: half-open, in UTC, open ones without an end (FR-013)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

ZERO = timedelta(0)


class Interval(NamedTuple):
    """From `began` up to but not including `ended`; `ended` is None while it lasts."""

    state: str
    began: datetime
    ended: datetime | None = None


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Of each state the same time in the fewest intervals: what touches or overlaps is one, and what has no
    length is none. By state, then by time."""
    joined: list[Interval] = []
    for interval in sorted(intervals, key=lambda one: (one.state, one.began)):
        if interval.began == interval.ended:
            continue
        last = joined[-1] if joined else None
        if last is None or last.state != interval.state or _apart(last, interval):
            joined.append(interval)
        else:
            joined[-1] = last._replace(ended=_later(last.ended, interval.ended))
    return joined


def _apart(first: Interval, second: Interval) -> bool:
    return first.ended is not None and first.ended < second.began


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    return None if first is None or second is None else max(first, second)


def length_of_union(intervals: Sequence[Interval], since: datetime, until: datetime) -> timedelta:
    """How long any of the intervals held between two moments; time that several share counts once."""
    total, reached = ZERO, since
    for interval in sorted(intervals, key=lambda one: one.began):
        began = max(interval.began, reached)
        ended = until if interval.ended is None else min(interval.ended, until)
        if ended > began:
            total += ended - began
            reached = ended
    return total
