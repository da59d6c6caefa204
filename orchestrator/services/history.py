"""The only writer of history (FR-009): an entry commits with the act it records, or neither does."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import rfc8785
from django.db import connection
from django.db.models import QuerySet

from orchestrator.core.history import Breach, Link, first_breach, leaf_hash
from orchestrator.models import HistoryEntry, Workstream
from orchestrator.queries.prepared import Prepared
from orchestrator.services.actor import Actor

#: Any number will do as long as nothing else in the database uses it.
SEQUENCE_LOCK = 0x0CEA4


def record(
    *,
    workstream: Workstream | None,
    actor: Actor,
    action: str,
    subject: str,
    now: datetime,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
    corrects: HistoryEntry | None = None,
) -> HistoryEntry:
    """Append an entry inside the caller's transaction, whose workstream row is locked.

    `data` holds JSON values only. Takes the sequence lock last and keeps it until the transaction ends, so the
    sequence has no gaps.
    """
    act = _Act(workstream, actor, action, now)
    entry = _linked(_tip_of(workstream), act, Said(subject, reason, data or {}), corrects)
    entry.save(force_insert=True)
    return entry


class Said(NamedTuple):
    """What one of several entries of an act says of its own."""

    subject: str
    reason: str
    data: Mapping[str, Any]


def record_each(
    *, workstream: Workstream, actor: Actor, action: str, entries: Iterable[Said], now: datetime
) -> Sequence[HistoryEntry]:
    """Append entries of one act in their order, under the rules of `record`, with a few queries for all of them."""
    act, tip = _Act(workstream, actor, action, now), _tip_of(workstream)
    rows: list[HistoryEntry] = []
    for said in entries:
        rows.append(entry := _linked(tip, act, said))
        tip = _Tip(entry.sequence, entry.number, entry.leaf_hash)
    return HistoryEntry.objects.bulk_create(rows)


class _Act(NamedTuple):
    """What all entries of an act share."""

    workstream: Workstream | None
    actor: Actor
    action: str
    at: datetime


class _Tip(NamedTuple):
    """The newest entry: of all, and in the chain that is continued."""

    sequence: int
    number: int
    leaf_hash: str


def _tip_of(workstream: Workstream | None) -> _Tip:
    """Where the chain goes on; from here on nobody else writes history until the transaction ends."""
    if not connection.in_atomic_block:
        raise RuntimeError("History is written in the transaction of the act.")
    _lock_sequence()
    number, previous = next(iter(_newest_link(workstream.pk if workstream else None)), (0, ""))
    return _Tip(next(iter(_last_sequence()), 0), number, previous)


def _linked(tip: _Tip, act: _Act, said: Said, corrects: HistoryEntry | None = None) -> HistoryEntry:
    """The entry behind the newest one, not saved yet."""
    entry = HistoryEntry(
        sequence=tip.sequence + 1,
        workstream=act.workstream,
        number=tip.number + 1,
        recorded_at=act.at,
        actor=act.actor.label,
        user=act.actor.user,
        account=act.actor.user.get_username() if act.actor.user else "",
        executor=act.actor.executor.name if act.actor.executor else "",
        kind=act.actor.kind,
        action=act.action,
        subject=said.subject[:300],
        reason=said.reason,
        corrects=corrects,
        previous_hash=tip.leaf_hash,
    )
    entry.leaf = rfc8785.dumps(_facts(entry) | {"data": dict(said.data)}).decode()
    entry.leaf_hash = leaf_hash(entry.leaf.encode())
    return entry


@Prepared
def _newest_link(workstream: int | None) -> QuerySet[HistoryEntry, tuple[int, str]]:
    chain = HistoryEntry.objects.filter(workstream=workstream).order_by("-number")
    return chain.values_list("number", "leaf_hash")[:1]


@Prepared
def _last_sequence() -> QuerySet[HistoryEntry, int]:
    return HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True)[:1]


def verify() -> Breach | None:
    """Walk the whole chain; the first bad entry, or None. Memory does not grow with the history."""
    return first_breach(_links())


def _lock_sequence() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCE_LOCK])


def _facts(entry: HistoryEntry) -> dict[str, Any]:
    """What the columns say, in the names of the leaf."""
    return {
        "sequence": entry.sequence,
        "workstream": str(entry.workstream.uuid) if entry.workstream else "",
        "number": entry.number,
        "recordedAt": entry.recorded_at.isoformat(),
        "actor": entry.actor,
        "executor": entry.executor,
        "kind": entry.kind,
        "account": entry.account,
        "action": entry.action,
        "subject": entry.subject,
        "reason": entry.reason,
        "corrects": entry.corrects.sequence if entry.corrects else 0,
        "previous": entry.previous_hash,
    }


def _links() -> Iterator[Link]:
    entries = HistoryEntry.objects.select_related("workstream", "corrects").order_by("sequence")
    for entry in entries.iterator(chunk_size=1000):
        yield Link(
            sequence=entry.sequence,
            chain=str(entry.workstream_id or ""),
            number=entry.number,
            leaf=entry.leaf,
            facts=_restated(entry),
            leaf_hash=entry.leaf_hash,
            previous_hash=entry.previous_hash,
        )


def _restated(entry: HistoryEntry) -> str:
    """The leaf as the columns would write it today; equal to the stored one unless somebody changed a row."""
    try:
        data = json.loads(entry.leaf).get("data")
    except (ValueError, AttributeError):
        return ""
    return rfc8785.dumps(_facts(entry) | {"data": data}).decode()
