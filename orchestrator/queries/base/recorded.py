"""The entries as they are stored, column by column beside their leaf, read in the order of their sequence
(FR-009).

Nearly every leaf is, byte for byte, the text that its columns make, so that text is made and compared. A leaf
that is another one is read in full, which finds the same at three times the cost.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any, Final, NamedTuple

import rfc8785
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError

from orchestrator.core.json_text import json_text
from orchestrator.core.sealing.chain import Link
from orchestrator.core.sealing.rows import rows_text
from orchestrator.models import HistoryEntry, Workstream
from orchestrator.queries.base.moments import Stored, written
from orchestrator.queries.base.sql import streamed

COLUMNS: Final = (
    *("sequence", "workstream_id", "number", "moment", "actor", "executor", "kind", "account", "user_id"),
    *("action", "subject", "reason", "corrects__sequence", "previous_hash", "leaf", "leaf_hash"),
)
#: What a leaf says that no column does.
BESIDE: Final = {"data", "rows"}
#: How reading rows ends of which somebody changed the types, the tables, or what they lead to.
UNREADABLE: Final = (
    *(DatabaseError, ObjectDoesNotExist, ValueError, TypeError, AttributeError, KeyError),
    *(OverflowError, RecursionError),
)
#: Entries that are read at a time.
CHUNK: Final = 2_000


class Recorded(NamedTuple):
    """An entry: its link of the chain, whose `chain` is its workstream; who did what and why; and what its
    leaf says that no column does, which is nothing where leaf and columns do not agree."""

    link: Link
    actor: str
    action: str
    subject: str
    reason: str
    beside: Mapping[str, Any]


def facts(
    sequence: int,
    workstream: str,
    number: int,
    recorded_at: str,
    actor: str,
    executor: str,
    kind: str,
    account: str,
    user_id: int | None,
    action: str,
    subject: str,
    reason: str,
    corrects: int | None,
    previous: str,
) -> dict[str, Any]:
    """What the columns say, in the names of the leaf; `_text` says the same."""
    return {
        "sequence": sequence,
        "workstream": workstream,
        "number": number,
        "recordedAt": recorded_at,
        "actor": actor,
        "executor": executor,
        "kind": kind,
        "account": account,
        "accountId": user_id or 0,
        "action": action,
        "subject": subject,
        "reason": reason,
        "corrects": corrects or 0,
        "previous": previous,
    }


def recorded(after: int = 0) -> Iterator[Recorded]:
    """Every entry behind a sequence, in a few statements; memory does not grow with their number."""
    uuids: dict[int, str] = {}
    with suppress(*UNREADABLE):  # else they are read one by one
        uuids = {pk: str(uuid) for pk, uuid in Workstream.objects.values_list("pk", "uuid")}
    rows = HistoryEntry.objects.filter(sequence__gt=after).order_by("sequence")
    for row in streamed(rows.annotate(moment=Stored("recorded_at")).values_list(*COLUMNS), CHUNK):
        sequence, own, number, _, actor, *_, action, subject, reason, _, previous, leaf, leaf_hash = row
        if own is not None and own not in uuids:
            uuids[own] = _uuid_of(own)
        beside = _beside(leaf, sequence, uuids.get(own, ""), *row[2:-2])
        problem = "" if beside is not None else _other(own, uuids)
        link = Link(sequence, own, number, leaf, problem, leaf_hash, previous)
        yield Recorded(link, actor, action, subject, reason, beside or _NOTHING)


def _uuid_of(workstream: int) -> str:
    """Empty for a workstream that is gone, or cannot be read."""
    with suppress(*UNREADABLE):
        return str(Workstream.objects.values_list("uuid", flat=True).get(pk=workstream))
    return ""


def _other(own: int | None, uuids: Mapping[int, str]) -> str:
    if own is not None and not uuids[own]:
        return f"the workstream with the id {own} that it belongs to is gone, or cannot be read"
    return "its columns do not say what was recorded"


_DECODER: Final = json.JSONDecoder()
_NOTHING: Final[Mapping[str, Any]] = {}


def _beside(leaf: str, *columns: Any) -> Mapping[str, Any] | None:
    """What a leaf says that these columns do not; None where the two do not agree, or it is no canonical
    JSON."""
    try:
        beside = _around(leaf, *_text(*columns))
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        beside = None
    return _compared(_read(leaf), *columns) if beside is None else beside


def _text(
    sequence: int,
    workstream: str,
    number: int,
    moment: datetime | str,
    actor: str,
    executor: str,
    kind: str,
    account: str,
    user_id: int | None,
    action: str,
    subject: str,
    reason: str,
    corrects: int | None,
    previous: str,
) -> tuple[str, str, str]:
    """The canonical text that the columns make: what stands before the data, between data and rows, and
    behind. TypeError for a column that holds what none holds."""
    text, whole = encode_basestring, int.__repr__
    at = text(written(moment))
    return (
        f'{{"account":{text(account)},"accountId":{whole(user_id or 0)},"action":{text(action)},'
        f'"actor":{text(actor)},"corrects":{whole(corrects or 0)},',
        f'"executor":{text(executor)},"kind":{text(kind)},"number":{whole(number)},'
        f'"previous":{text(previous)},"reason":{text(reason)},"recordedAt":{at},',
        f'"sequence":{whole(sequence)},"subject":{text(subject)},"workstream":{text(workstream)}}}',
    )


def _around(leaf: str, before: str, between: str, behind: str) -> Mapping[str, Any] | None:
    """What stands between the parts of a text, if the leaf is this text."""
    if not leaf.startswith(before):
        return None
    beside, at = {}, len(before)
    if leaf.startswith('"data":', at):
        beside["data"], at = _value(leaf, at + 7, json_text)
    if not leaf.startswith(between, at):
        return None
    at += len(between)
    if leaf.startswith('"rows":', at):
        beside["rows"], at = _value(leaf, at + 7, rows_text)
    return beside if leaf[at:] == behind else None


def _value(leaf: str, start: int, text: Callable[[Any], str]) -> tuple[Any, int]:
    """The canonical value that begins here, and where what follows its comma begins. ValueError for another
    text."""
    read, end = _DECODER.raw_decode(leaf, start)
    if not leaf.startswith(f"{text(read)},", start):
        raise ValueError("It is written otherwise.")
    return read, end + 1


def _compared(
    read: Mapping[str, Any],
    sequence: int,
    workstream: str,
    number: int,
    moment: datetime | str,
    *columns: Any,
) -> Mapping[str, Any] | None:
    own = facts(sequence, workstream, number, written(moment), *columns)
    beside = {name: read[name] for name in read.keys() & BESIDE}
    agrees = own.items() <= read.items() and len(read) == len(own) + len(beside)
    return beside if agrees else None


def _read(leaf: str) -> Mapping[str, Any]:
    """What a leaf says; nothing of one that is no canonical JSON."""
    try:
        read = _DECODER.decode(leaf)
        written = json_text(read)
        good = isinstance(read, dict) and (written == leaf or rfc8785.dumps(read).decode() == leaf)
    except (TypeError, ValueError, RecursionError, rfc8785.CanonicalizationError):
        return {}
    return read if good else {}
