"""What a reader of the flow chose: a time, and which workstreams (FR-013, FR-017)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final, Self

from django.db.models import Q
from django.http import QueryDict

from orchestrator.core.flow.buckets import Bucket, Span, first_day, key_of, local_day, midnight
from orchestrator.core.terms import Lifecycle
from orchestrator.models import Workstream
from orchestrator.queries.base.asked import SAID, Asked, Unknown, named
from orchestrator.queries.workstreams.portfolio import LIFECYCLES, NO_DOMAIN

#: What the pages call their filters, and what marks and figures add to them.
LABELS: Final = {
    "since": "From day",
    "until": "To day",
    "span": "Throughput by",
    "of": "Plan called",
    "show": "Items",
    "on": "Day, week or month",
    "cycle": "Cycle time",
    "at": "Standing at",
    "items": "When are so many done",
    "by": "Figures by",
}


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
NOTHING: Final = "so there is nothing to count"


class FlowSet(StrEnum):
    """Which of the workstreams a figure or a mark counts."""

    FINISHED = "finished"
    TIMED = "timed"
    REWORKED = "reworked"
    BLOCKED = "blocked"
    IN_PROGRESS = "in-progress"
    IN_WORK = "in-work"
    BLOCKED_NOW = "blocked-now"
    REGISTERED = "registered"
    STARTED = "started"
    FIRST_FINISHED = "first-finished"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class FlowFilters:
    """The chosen filters. `since` and `until` are days, both included; they go before `time`.

    `problems` are the values that mean nothing; they are left out, and the reader is told.
    """

    time: FlowTime = FlowTime.QUARTER
    since: date | None = None
    until: date | None = None
    domain: str = ""
    owner: str = ""
    workflow: str = ""
    of: str = ""
    status: Lifecycle | None = None
    span: Span = Span.WEEK
    show: FlowSet = FlowSet.FINISHED
    bucket: str = ""
    cycle: tuple[int, int] | None = None
    step: str = ""
    at: str = ""
    problems: tuple[Unknown, ...] = ()

    @classmethod
    def read(cls, query: Mapping[str, str], beside: Collection[str] = ()) -> Self:
        """From the values of an address; `beside` is what its page reads as well."""
        asked = FlowAsked(query, beside)
        chosen = cls(
            time=asked.term("time", FlowTime) or FlowTime.QUARTER,
            since=asked.day("since"),
            until=asked.day("until"),
            domain=asked.text("domain"),
            owner=asked.text("owner"),
            workflow=asked.text("workflow"),
            of=asked.text("of"),
            status=asked.term("status", Lifecycle),
            span=asked.term("span", Span) or Span.WEEK,
            show=asked.term("show", FlowSet) or FlowSet.FINISHED,
            bucket=asked.bucket("on"),
            cycle=asked.seconds("cycle"),
            step=asked.text("step"),
            at=asked.text("at"),
        )
        if chosen.since and chosen.until and chosen.since > chosen.until:
            said = "The day in “From day” is behind that in “To day”"
            asked.say("since", said, then="so both are left out")
            chosen = replace(chosen, since=None, until=None)
        return replace(chosen, problems=tuple(asked.unknown))

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
        if self.of:
            chosen &= called(self.of)
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


def called(name: str) -> Q:
    """The workstreams of plans with one name: work that was started from one workflow of the library, or
    plans called the same. Their steps with one key are the same step."""
    return Q(version__started_from=name) | Q(version__started_from="", version__workflow__name=name)


def unknown_names(filters: FlowFilters, known: Mapping[str, Collection[str]]) -> list[Unknown]:
    """Every chosen domain, owner or workflow that no workstream has; `known` has those that some do."""
    domain = "" if filters.domain == NO_DOMAIN else filters.domain
    chosen = (
        ("domain", domain, "domains"),
        ("owner", filters.owner, "owners"),
        ("workflow", filters.workflow, "workflows"),
    )
    unknown = [
        Unknown(kind, f"No workstream has the {kind} “{name[:SAID]}”", NOTHING, named(known[among]))
        for kind, name, among in chosen
        if name and name not in known[among]
    ]
    if filters.of and not Workstream.objects.filter(called(filters.of)).exists():
        unknown.append(Unknown("of", f"No plan is called “{filters.of[:SAID]}”", NOTHING))
    return unknown


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


class FlowAsked(Asked):
    """The address of a flow page, or the same values from a machine."""

    def __init__(self, query: Mapping[str, str], beside: Collection[str] = (), **labels: str) -> None:
        super().__init__(_as_query(query), {**LABELS, **labels}, beside)

    def day(self, name: str) -> date | None:
        """A day of a year that has flow."""
        found = super().day(name)
        if found is None or BEGINNING.year <= found.year <= LAST_YEAR:
            return found
        self.no_day(name, found.isoformat())
        return None

    def bucket(self, name: str) -> str:
        """The name of a day, week or month."""
        given = self.text(name)
        try:
            return given if not given or _named(given) else ""
        except ValueError:
            said = f"“{given[:SAID]}” is no day, week or month"
            self.say(name, said, " Write 2026-03-04, 2026-W10 or 2026-03.")
            return ""

    def seconds(self, name: str) -> tuple[int, int] | None:
        """Seconds from and to, like `3600-7200`; the second is not included."""
        given = self.text(name)
        if pair := re.fullmatch(r"(\d{1,10})-(\d{1,10})", given):
            return int(pair[1]), int(pair[2])
        if given:
            said = f"“{given[:SAID]}” is no span for “{self.label(name)}”"
            self.say(name, said, " Write seconds like 3600-7200.")
        return None


def _as_query(values: Mapping[str, str]) -> QueryDict:
    if isinstance(values, QueryDict):
        return values
    query = QueryDict(mutable=True)
    for name, value in values.items():
        query[name] = value
    return query
