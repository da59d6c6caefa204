"""The only writer of history (FR-009): an entry commits with the act it records, or neither does."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_save
from django_q.tasks import async_task

from orchestrator.core.actions import Action
from orchestrator.core.sealing.chain import leaf_hash
from orchestrator.models import HistoryEntry, Workstream
from orchestrator.models.base.bells import Bell
from orchestrator.queries.base.canonical import canonical
from orchestrator.queries.base.chains import newest_entries
from orchestrator.queries.base.covered import BY_MODEL
from orchestrator.queries.base.recorded import facts
from orchestrator.queries.base.spoken import Told, said_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.bells import ring_after_commit
from orchestrator.services.base.locks import Lock, take
from orchestrator.services.base.masking import masked_here
from orchestrator.services.base.rows import InsertRows
from orchestrator.services.base.unit_of_work import current_unit, in_unit
from orchestrator.services.base.watched import note_action


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
    note_action(action)
    said = Said(subject, reason, _with_masked(data or {}))
    waiting = _WaitingEntry(_Act(workstream, actor, action, now), said, corrects)
    current_unit().at_the_end(_write, [waiting], last=True)


def speaks_of(*rows: Model) -> None:
    """Have the next entry of the unit say the digests of new rows, or the last one when none follows
    (`queries/base/covered.py`): who changes such a row later is found. They are read when the unit ends.

    Rows that a model's `save` writes say so by themselves; those of a statement of its own are named here.
    """
    told = []
    for row in rows:
        for part in BY_MODEL[type(row)].parts:
            if part.once or not part.is_blank(row):
                told.append(Told(part, part.key_of(row), row))
    current_unit().at_the_end(_write, told, last=True)


def tells(row: Model, *columns: str) -> None:
    """The same of a row in which a statement of its own changed these columns, as the object holds them."""
    parts = BY_MODEL[type(row)].parts_with(frozenset(columns))
    current_unit().at_the_end(_write, [Told(part, part.key_of(row), row) for part in parts], last=True)


def tells_of(model: type[Model], keys: Iterable[int], /, **values: object) -> None:
    """The same of rows of which nobody holds an object: `values` are those of all columns of a part."""
    parts = BY_MODEL[model].parts_with(frozenset(values))
    told = [Told(part, key, None, values) for part in parts for key in keys]
    current_unit().at_the_end(_write, told, last=True)


def listen() -> None:
    """Have every covered row that a unit saves be spoken of."""
    for model in BY_MODEL:
        post_save.connect(_saved, sender=model, dispatch_uid=f"orchestrator.spoken.{model.__name__}")


def _saved(
    sender: type[Model], instance: Model, *, created: bool, update_fields: Any = None, **_: object
) -> None:
    if not in_unit():
        return
    if not created:
        tells(instance, *(_names(sender, update_fields) if update_fields else _all(sender)))
    elif all(part.which is None for part in BY_MODEL[sender].parts):
        speaks_of(instance)


def _names(model: type[Model], fields: Iterable[str]) -> Iterable[str]:
    wanted = set(fields)
    return (one.attname for one in model._meta.concrete_fields if wanted & {one.name, one.attname})


@cache
def _all(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


class Said(NamedTuple):
    """What one of several entries of an act says of its own."""

    subject: str
    reason: str
    data: Mapping[str, Any]


def record_each(
    *, workstream: Workstream, actor: Actor, action: Action, entries: Iterable[Said], now: datetime
) -> None:
    """Append entries of one act in their order, under the rules of `record`."""
    note_action(action)
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


#: Entries of all chains behind which a seal is asked for at once (FR-009).
SEAL_EVERY = 256

#: Before the first entry of a chain.
NOTHING = _Tip(0, "", datetime.min.replace(tzinfo=UTC))


class _Ready(NamedTuple):
    """An entry with what it says of rows: of each kind their ids and their root."""

    entry: _WaitingEntry
    rows: Mapping[str, Mapping[str, str]]


def _with_rows(waiting: Sequence[_WaitingEntry | Told]) -> list[_Ready]:
    """Each entry with the rows that were written before it; the last one with those behind it too."""
    entries: list[tuple[_WaitingEntry, list[Told]]] = []
    rows: list[Told] = []
    for one in waiting:
        if isinstance(one, Told):
            rows.append(one)
        else:
            entries.append((one, rows))
            rows = []
    if rows and not entries:
        raise RuntimeError(f"Nothing is recorded of {[(one.part.kind, one.row_id) for one in rows]}.")
    if rows:
        entries[-1] = entries[-1][0], [*entries[-1][1], *rows]
    return [_Ready(entry, said_of(own) if own else {}) for entry, own in entries]


def _write(said: Sequence[_WaitingEntry | Told]) -> None:
    """Give the entries of a unit their places and insert them: the last thing before the commit.

    The sequence has no gaps because its lock is held until then; nobody else writes history meanwhile, so
    nothing that can be done before is done behind the lock.
    """
    waiting = _with_rows(said)
    take(Lock.SEQUENCE)
    newest = newest_entries({one.entry.chain for one in waiting if one.entry.chain is not None})
    tips = {entry.workstream_id: _Tip(entry.number, entry.leaf_hash, entry.recorded_at) for entry in newest}
    last = max((entry.sequence for entry in newest), default=0)
    rows = []
    for sequence, one in enumerate(waiting, start=last + 1):
        chain = one.entry.chain
        rows.append(entry := _linked(sequence, tips.get(chain, NOTHING), one))
        tips[chain] = _Tip(entry.number, entry.leaf_hash, entry.recorded_at)
    _INSERT(rows)
    ring_after_commit(Bell.HISTORY)
    if last // SEAL_EVERY != rows[-1].sequence // SEAL_EVERY:
        transaction.on_commit(_ask_for_a_seal, robust=True)


def _ask_for_a_seal() -> None:
    """Many entries are sealed before the watch looks for them; a lost message costs half a second."""
    async_task("orchestrator.processes.tasks.seal")


_INSERT = InsertRows(HistoryEntry)


def _linked(sequence: int, tip: _Tip, ready: _Ready) -> HistoryEntry:
    """The entry behind the newest one of its chain, not saved yet. Clocks may go back; what follows is
    never dated before what it follows (F25)."""
    waiting = ready.entry
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
    more = {"data": dict(said.data)} | ({"rows": ready.rows} if ready.rows else {})
    entry.leaf = canonical(_facts(entry) | more).decode()
    entry.leaf_hash = leaf_hash(entry.leaf.encode())
    return entry


def _facts(entry: HistoryEntry) -> dict[str, Any]:
    """What the columns say, in the names of the leaf."""
    return facts(
        entry.sequence,
        str(entry.workstream.uuid) if entry.workstream else "",
        entry.number,
        entry.recorded_at.isoformat(),
        entry.actor,
        entry.executor,
        entry.kind,
        entry.account,
        entry.user_id,
        entry.action,
        entry.subject,
        entry.reason,
        entry.corrects.sequence if entry.corrects else None,
        entry.previous_hash,
    )
