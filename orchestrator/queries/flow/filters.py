"""What a reader of the flow chose: a time, and which workstreams (FR-013, FR-017)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Self, TypeVar

from django.db.models import Q

from orchestrator.core.flow.buckets import Bucket, Span, first_day, key_of, local_day, midnight
from orchestrator.core.terms import Lifecycle
from orchestrator.queries.base.asked import named
from orchestrator.queries.workstreams.portfolio import LIFECYCLES, NO_DOMAIN

Word = TypeVar("Word", bound=StrEnum)


class FlowTime(StrEnum):
    """Times that are offered; they end now and begin at a local midnight."""

    WEEK = "7d"
    MONTH = "30d"
    SIX_WEEKS = "6w"
    QUARTER = "90d"
    YEAR = "12m"
    ALL = "all"


DAYS = {
    FlowTime.WEEK: 7,
    FlowTime.MONTH: 30,
    FlowTime.SIX_WEEKS: 42,
    FlowTime.QUARTER: 90,
    FlowTime.YEAR: 365,
}
#: Nothing was registered before.
BEGINNING = date(2000, 1, 1)
LAST_YEAR = 2999


class FlowSet(StrEnum):
    """Which of the workstreams a figure or a mark counts."""

    FINISHED = "finished"
    TIMED = "timed"
    REWORKED = "reworked"
    BLOCKED = "blocked"
    IN_PROGRESS = "in-progress"
    BLOCKED_NOW = "blocked-now"
    REGISTERED = "registered"
    STARTED = "started"
    FIRST_FINISHED = "first-finished"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class FlowFilters:
    """The chosen filters. `since` and `until` are days, both included; they go before `time`.

    `problems` has a sentence for every value that means nothing; the value is left out, and the reader is
    told.
    """

    time: FlowTime = FlowTime.QUARTER
    since: date | None = None
    until: date | None = None
    domain: str = ""
    owner: str = ""
    workflow: str = ""
    status: Lifecycle | None = None
    span: Span = Span.WEEK
    show: FlowSet = FlowSet.FINISHED
    bucket: str = ""
    cycle: tuple[int, int] | None = None
    step: str = ""
    at: str = ""
    problems: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """From the values of an address."""
        reader = AddressReader(query)
        chosen = cls(
            time=reader.word("time", FlowTime) or FlowTime.QUARTER,
            since=reader.day("since"),
            until=reader.day("until"),
            domain=reader.text("domain"),
            owner=reader.text("owner"),
            workflow=reader.text("workflow"),
            status=reader.word("status", Lifecycle),
            span=reader.word("span", Span) or Span.WEEK,
            show=reader.word("show", FlowSet) or FlowSet.FINISHED,
            bucket=reader.bucket("on"),
            cycle=reader.span("cycle"),
            step=reader.text("step"),
            at=reader.text("at"),
        )
        if chosen.since and chosen.until and chosen.since > chosen.until:
            reader.problems.append("The first day is behind the last one: both are left out.")
            object.__setattr__(chosen, "since", None)
            object.__setattr__(chosen, "until", None)
        object.__setattr__(chosen, "problems", tuple(reader.problems))
        return chosen

    @property
    def conditions(self) -> Q:
        """Which workstreams, whatever the time."""
        chosen = Q()
        if self.domain:
            chosen &= Q(domain="" if self.domain == NO_DOMAIN else self.domain)
        if self.owner:
            chosen &= Q(owner__username=self.owner)
        if self.workflow:
            chosen &= Q(version__workflow__slug=self.workflow)
        if self.status:
            chosen &= LIFECYCLES[self.status]
        return chosen

    def window(self, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
        """From when until when, in UTC: until now, or to the end of the last day that was chosen."""
        now = now.astimezone(UTC)
        until = min(midnight(self.until + timedelta(days=1), zone), now) if self.until else now
        if self.since:
            return midnight(self.since, zone), until
        days = DAYS.get(self.time)
        first = local_day(until, zone) - timedelta(days=days - 1) if days else BEGINNING
        return midnight(first, zone), until


def unknown_names(filters: FlowFilters, known: Mapping[str, Collection[str]]) -> list[str]:
    """A sentence for every chosen domain, owner or workflow that no workstream has; `known` has those that
    some do."""
    domain = "" if filters.domain == NO_DOMAIN else filters.domain
    chosen = (
        ("domain", domain, "domains"),
        ("owner", filters.owner, "owners"),
        ("workflow", filters.workflow, "workflows"),
    )
    return [
        f"No workstream has the {kind} {name[:60]!r}, so there is nothing to count.{named(known[among])}"
        for kind, name, among in chosen
        if name and name not in known[among]
    ]


def bucket_named(key: str, zone: tzinfo) -> Bucket:
    """The day, week or month with this name. ValueError when there is none."""
    span, first = _named(key)
    following = first + timedelta(days={Span.DAY: 1, Span.WEEK: 7, Span.MONTH: 31}[span])
    return Bucket(key, first, midnight(first, zone), midnight(first_day(following, span), zone))


def _named(key: str) -> tuple[Span, date]:
    if week := re.fullmatch(r"(\d{4})-W(\d\d)", key):
        span, first = Span.WEEK, date.fromisocalendar(int(week[1]), int(week[2]), 1)
    elif month := re.fullmatch(r"(\d{4})-(\d\d)", key):
        span, first = Span.MONTH, date(int(month[1]), int(month[2]), 1)
    else:
        span, first = Span.DAY, date.fromisoformat(key)
    if key_of(first, span) != key or not BEGINNING.year <= first.year <= LAST_YEAR:
        raise ValueError(key)
    return span, first


class AddressReader:
    """Reads values of an address and notes which of them mean nothing."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._query.get(name, "").replace("\x00", "").strip()[:200]

    def word(self, name: str, words: type[Word]) -> Word | None:
        given = self.text(name)
        if not given:
            return None
        try:
            return words(given)
        except ValueError:
            self._unknown(name, given, f"use one of {', '.join(words)}")
            return None

    def day(self, name: str) -> date | None:
        given = self.text(name)
        try:
            day = date.fromisoformat(given) if given else None
        except ValueError:
            day = None
        if given and (day is None or not BEGINNING.year <= day.year <= LAST_YEAR):
            self._unknown(name, given, "write a day like 2026-03-04")
            return None
        return day

    def number(self, name: str, least: int, most: int) -> int | None:
        given = self.text(name)
        if given.isdecimal() and given.isascii() and least <= int(given[:12]) <= most:
            return int(given)
        if given:
            self._unknown(name, given, f"write a whole number from {least} to {most}")
        return None

    def bucket(self, name: str) -> str:
        given = self.text(name)
        try:
            return given if not given or _named(given) else ""
        except ValueError:
            self._unknown(name, given, "write 2026-03-04, 2026-W10 or 2026-03")
            return ""

    def span(self, name: str) -> tuple[int, int] | None:
        """Seconds from and to, like `3600-7200`; the second is not included."""
        given = self.text(name)
        if pair := re.fullmatch(r"(\d{1,10})-(\d{1,10})", given):
            return int(pair[1]), int(pair[2])
        if given:
            self._unknown(name, given, "write seconds like 3600-7200")
        return None

    def _unknown(self, name: str, given: str, way_out: str) -> None:
        self.problems.append(f"{given[:60]!r} is no {name}, so it is left out: {way_out}.")
