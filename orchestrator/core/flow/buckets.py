"""Days, weeks and months of the project's calendar: a day begins at local midnight, a week on Monday
(FR-013)."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple


class Span(StrEnum):
    """How long a bucket is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Bucket(NamedTuple):
    """A day, week or month, from `begins` up to `ends` (UTC); `partial` when not all of it is counted."""

    key: str
    first: date
    begins: datetime
    ends: datetime
    partial: bool = False


def midnight(day: date, zone: tzinfo) -> datetime:
    """The moment at which a day begins in a zone, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def local_day(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def first_day(day: date, span: Span) -> date:
    """The day on which the bucket of a day begins."""
    if span is Span.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if span is Span.MONTH else day


def key_of(first: date, span: Span) -> str:
    """How a bucket is named: 2026-03-04, 2026-W10 or 2026-03."""
    if span is Span.WEEK:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return f"{first:%Y-%m}" if span is Span.MONTH else first.isoformat()


def key_at(moment: datetime, span: Span, zone: tzinfo) -> str:
    """The name of the bucket in which a moment lies."""
    return key_of(first_day(local_day(moment, zone), span), span)


def buckets(since: datetime, until: datetime, span: Span, zone: tzinfo) -> list[Bucket]:
    """Every bucket that has a part of the time from `since` up to `until`, empty ones too; the first and the
    last are partial when that time does not cover them."""
    found = []
    for first in _firsts(local_day(since, zone), until, span, zone):
        begins, ends = midnight(first, zone), midnight(_next(first, span), zone)
        found.append(Bucket(key_of(first, span), first, begins, ends, begins < since or ends > until))
    return found


def _firsts(day: date, until: datetime, span: Span, zone: tzinfo) -> Iterator[date]:
    first = first_day(day, span)
    while midnight(first, zone) < until:
        yield first
        first = _next(first, span)


def _next(first: date, span: Span) -> date:
    if span is Span.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if span is Span.WEEK else 1)


def counts(moments: Iterable[datetime], into: Sequence[Bucket]) -> list[int]:
    """How many of the moments lie in each bucket; those outside are not counted."""
    begins = [bucket.begins for bucket in into]
    found = [0] * len(into)
    for moment in moments:
        place = bisect_right(begins, moment) - 1
        if place >= 0 and moment < into[place].ends:
            found[place] += 1
    return found
