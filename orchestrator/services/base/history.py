"""The only writer of history (FR-009): an entry commits with the act it records, or neither does."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import rfc8785

from orchestrator.core.actions import Action
from orchestrator.core.history import Breach, Link, first_breach, leaf_hash
from orchestrator.models import HistoryEntry, Workstream
from orchestrator.queries.base.chains import newest_entries
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.locks import Lock, take
from orchestrator.services.base.masking import masked_here
from orchestrator.services.base.rows import InsertRow
from orchestrator.services.base.unit_of_work import current_unit


def record(
    *,
    workstream: Workstream | None,
    actor: Actor,
    action: Action,
    subject: str,
    now: datetime,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
    corrects: HistoryEntry | None = None,
) -> None:
    """Append an entry to what the caller's unit of work says; it is written when the unit ends.

    `data` holds JSON values only.
    """
    said = Said(subject, reason, _with_masked(data or {}))
    waiting = _WaitingEntry(_Act(workstream, actor, action, now), said, corrects)
    current_unit().at_the_end(_write, [waiting], last=True)


class Said(NamedTuple):
    """What one of several entries of an act says of its own."""

    subject: str
    reason: str
    data: Mapping[str, Any]


def record_each(
    *, workstream: Workstream, actor: Actor, action: Action, entries: Iterable[Said], now: datetime
) -> None:
    """Append entries of one act in their order, under the rules of `record`."""
    act = _Act(workstream, actor, action, now)
    said = (one._replace(data=_with_masked(one.data)) for one in entries)
    current_unit().at_the_end(_write, [_WaitingEntry(act, one, None) for one in said], last=True)


def _with_masked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was masked in what the act was given is a part of what it records, and never the secret."""
    masked = masked_here()
    return {**data, "masked": masked} if masked else data


class _Act(NamedTuple):
    """What all entries of an act share."""

    workstream: Workstream | None
    actor: Actor
    action: Action
    at: datetime


class _WaitingEntry(NamedTuple):
    """An entry before it has its place in the sequence."""

    act: _Act
    said: Said
    corrects: HistoryEntry | None

    @property
    def chain(self) -> int | None:
        return self.act.workstream.pk if self.act.workstream else None


class _Tip(NamedTuple):
    """The newest entry of a chain."""

    number: int
    leaf_hash: str
    at: datetime


#: Before the first entry of a chain.
NOTHING = _Tip(0, "", datetime.min.replace(tzinfo=UTC))


def _write(waiting: Sequence[_WaitingEntry]) -> None:
    """Give the entries of a unit their places and insert them: the last thing before the commit.

    The sequence has no gaps because its lock is held until then; nobody else writes history meanwhile, so
    nothing that can be done before is done behind the lock.
    """
    take(Lock.SEQUENCE)
    newest = newest_entries({one.chain for one in waiting if one.chain is not None})
    tips = {entry.workstream_id: _Tip(entry.number, entry.leaf_hash, entry.recorded_at) for entry in newest}
    last = max((entry.sequence for entry in newest), default=0)
    rows = []
    for sequence, one in enumerate(waiting, start=last + 1):
        rows.append(entry := _linked(sequence, tips.get(one.chain, NOTHING), one))
        tips[one.chain] = _Tip(entry.number, entry.leaf_hash, entry.recorded_at)
    for row in rows if len(rows) == 1 else ():
        _INSERT(row)
    if len(rows) > 1:
        HistoryEntry.objects.bulk_create(rows)


_INSERT = InsertRow(HistoryEntry)


def _linked(sequence: int, tip: _Tip, waiting: _WaitingEntry) -> HistoryEntry:
    """The entry behind the newest one of its chain, not saved yet. Clocks may go back; what follows is
    never dated before what it follows (F25)."""
    act, said = waiting.act, waiting.said
    entry = HistoryEntry(
        sequence=sequence,
        workstream=act.workstream,
        number=tip.number + 1,
        recorded_at=max(act.at, tip.at),
        actor=act.actor.label,
        user=act.actor.user,
        account=act.actor.user.get_username() if act.actor.user else "",
        executor=act.actor.executor.name if act.actor.executor else "",
        kind=act.actor.kind,
        action=act.action,
        subject=said.subject[:300],
        reason=said.reason,
        corrects=waiting.corrects,
        previous_hash=tip.leaf_hash,
    )
    entry.leaf = rfc8785.dumps(_facts(entry) | {"data": dict(said.data)}).decode()
    entry.leaf_hash = leaf_hash(entry.leaf.encode())
    return entry


def verify() -> Breach | None:
    """Walk the whole chain; the first bad entry, or None. Memory does not grow with the history."""
    return first_breach(_links())


def checkpoint_of(entry: HistoryEntry) -> dict[str, Any]:
    """What proves later, kept elsewhere, that this entry and everything before it are the same."""
    return {
        "sequence": entry.sequence,
        "recordedAt": entry.recorded_at.isoformat(),
        "leafHash": entry.leaf_hash,
    }


def checkpoint_problem(kept: object) -> str:
    """What is wrong with the history by a checkpoint that was kept; empty when it fits."""
    match kept:
        case {"sequence": int(sequence), "leafHash": str(leaf_hash)}:
            entry = HistoryEntry.objects.filter(sequence=sequence).first()
        case _:
            return "This is no checkpoint: it names no sequence and leafHash."
    if entry is None:
        return f"Entry {sequence} of the checkpoint is not there."
    return "" if entry.leaf_hash == leaf_hash else f"Entry {sequence} is another one than at the checkpoint."


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
        "accountId": entry.user_id or 0,
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
