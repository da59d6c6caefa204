"""The history as people read it: filtered, newest first (FR-009)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Self

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce
from django.http import QueryDict

from orchestrator.core.actions import Action
from orchestrator.models import HistoryEntry, Task, Workstream
from orchestrator.queries.base.asked import Asked, Unknown

#: What the page calls its filters.
LABELS = {"actor": "Who", "action": "What", "text": "Subject or reason contains"}


@dataclass(frozen=True, slots=True)
class Trail:
    """What the reader chose; everything narrows."""

    actor: str = ""
    action: str = ""
    text: str = ""
    since: date | None = None
    until: date | None = None
    upto: int = 0
    workstream: Workstream | None = None
    zone: tzinfo = UTC
    unknown: tuple[Unknown, ...] = ()

    @classmethod
    def read(cls, query: QueryDict, zone: tzinfo, workstream: Workstream | None = None) -> Self:
        """`since` and `until` are days of the zone's calendar, both included; `upto` is an entry's number:
        it and what is older. What means nothing filters nothing and is said."""
        asked, known = Asked(query, LABELS), cls(workstream=workstream)
        read = cls(
            actor=asked.one_of("actor", lambda: known.choices()["actors"]),
            action=asked.one_of("action", lambda: known.choices()["actions"]),
            text=asked.text("text"),
            since=asked.day("since"),
            until=asked.day("until"),
            upto=asked.number("upto") or 0,
            workstream=workstream,
            zone=zone,
        )
        return replace(read, unknown=tuple(asked.unknown))

    @property
    def entries(self) -> QuerySet[HistoryEntry]:
        """Newest first by sequence: the clock may have been set back, the sequence never is."""
        return (
            HistoryEntry.objects.filter(self._conditions())
            .select_related("workstream", "corrects")
            .defer("corrects__leaf")
            .order_by("-sequence")
        )

    @property
    def columns(self) -> Iterator[tuple[Any, ...]]:
        """The same as plain values, streamed: sequence and time; who, account, kind; what, subject, why, what
        a completion rests on, where an attempt worked; the workstream's slug and the sequence of the
        corrected entry; hash and previous hash."""
        told = When(action__in=_OF_ATTEMPTS, then=F("leaf"))
        leaf = Case(told, default=Value(""), output_field=TextField())
        names = ("sequence", "recorded_at", "actor", "account", "kind", "action", "subject", "reason", "told")
        beside = ("workstream__slug", "corrects__sequence", "leaf_hash", "previous_hash")
        entries = HistoryEntry.objects.filter(self._conditions()).order_by("-sequence").annotate(told=leaf)
        for row in entries.values_list(*names, *beside).iterator(chunk_size=500):
            yield (*row[:8], _proof_in(row[8]), _place_in(row[8]), *row[9:])

    def _conditions(self) -> Q:
        found = Q()
        if self.workstream is not None:
            found &= Q(workstream=self.workstream)
        if self.actor:
            found &= Q(actor=self.actor)
        if self.action:
            found &= Q(action=self.action)
        if self.since:
            found &= Q(recorded_at__gte=self._midnight(self.since))
        if self.until and self.until < date.max:
            found &= Q(recorded_at__lt=self._midnight(self.until + timedelta(days=1)))
        if self.upto:
            found &= Q(sequence__lte=self.upto)
        if self.text:
            found &= Q(subject__icontains=self.text) | Q(reason__icontains=self.text)
        return found

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def choices(self) -> dict[str, list[str]]:
        """The people and actions that this workstream's history, or the whole one, knows."""
        known = Trail(workstream=self.workstream).entries.order_by()
        return {
            "actors": sorted(known.values_list("actor", flat=True).distinct(), key=str.casefold),
            "actions": sorted(known.values_list("action", flat=True).distinct()),
        }


def with_last_entry(workstreams: QuerySet[Workstream]) -> QuerySet[Workstream]:
    """With `last_entry`, the number of the newest entry about each; 0 where there is none."""
    newest = HistoryEntry.objects.filter(workstream=OuterRef("pk")).order_by("-number").values("number")[:1]
    return workstreams.annotate(last_entry=Coalesce(Subquery(newest), 0))


def step_keys(entries: Iterable[HistoryEntry]) -> set[tuple[int, str]]:
    """Which subjects name a step: pairs of workstream id and step key, in one query for all entries."""
    named = {(e.workstream_id, first_word(e.subject)) for e in entries if e.workstream_id is not None}
    tasks = Task.objects.filter(
        workstream__in={number for number, _ in named}, step__key__in={word for _, word in named}
    )
    return set(tasks.order_by().values_list("workstream_id", "step__key"))


def first_word(subject: str) -> str:
    return subject.partition(" ")[0]


def place_told(entry: HistoryEntry) -> str:
    """Where the attempt of an entry worked: worktree, branch and base; empty for other entries."""
    return _place_in(entry.leaf) if entry.action in _OF_ATTEMPTS else ""


def proof_told(entry: HistoryEntry) -> str:
    """What a completion that the entry tells of rests on: `proved` or `asserted`; empty for other acts."""
    return _proof_in(entry.leaf) if entry.action == Action.ATTEMPT_COMPLETED else ""


def _proof_in(leaf: str) -> str:
    return str(_data_of(leaf).get("proof", ""))


def _place_in(leaf: str) -> str:
    told = _data_of(leaf)
    if not told.get("branch"):
        return ""
    return f"{told['worktree']}, branch {told['branch']}, from {told['base'][:12]}"


def _data_of(leaf: str) -> dict[str, Any]:
    """Of the leaf of an entry, which is left out where it tells nothing here."""
    return (json.loads(leaf).get("data") or {}) if leaf else {}


#: Entries that say where their attempt works.
_OF_ATTEMPTS = frozenset(
    {
        Action.ATTEMPT_CLAIMED,
        Action.ATTEMPT_COMPLETED,
        Action.ATTEMPT_FAILED,
        Action.ATTEMPT_RELEASED,
    }
)
