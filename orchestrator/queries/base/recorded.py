"""The entries as they are stored, column by column beside their leaf, read in the order of their sequence
(FR-009)."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import rfc8785

from orchestrator.core.sealing.chain import Link
from orchestrator.models import HistoryEntry, Workstream

COLUMNS = (
    *(
        "sequence",
        "workstream_id",
        "number",
        "recorded_at",
        "actor",
        "executor",
        "kind",
        "account",
        "user_id",
    ),
    *("action", "subject", "reason", "corrects__sequence", "previous_hash", "leaf", "leaf_hash"),
)
#: What a leaf says that no column does.
BESIDE = {"data", "rows"}
#: Entries that are read at a time.
CHUNK = 2_000


class Recorded(NamedTuple):
    """An entry: its link of the chain, its workstream, and what its leaf says; nothing where that cannot be
    read."""

    link: Link
    workstream_id: int | None
    leaf: Mapping[str, Any]


def facts(
    sequence: int,
    workstream: UUID | None,
    number: int,
    recorded_at: datetime,
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
    """What the columns say, in the names of the leaf."""
    return {
        "sequence": sequence,
        "workstream": str(workstream) if workstream else "",
        "number": number,
        "recordedAt": recorded_at.isoformat(),
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
    uuids: dict[int | None, UUID | None] = {None: None, **dict(Workstream.objects.values_list("pk", "uuid"))}
    rows = HistoryEntry.objects.filter(sequence__gt=after).order_by("sequence")
    for row in rows.values_list(*COLUMNS).iterator(chunk_size=CHUNK):
        sequence, workstream, number, *said, previous, leaf, leaf_hash = row
        read = _read(leaf)
        # The columns of an entry of a workstream that came since the walk began.
        uuid = uuids[workstream] if workstream in uuids else Workstream.objects.get(pk=workstream).uuid
        own = facts(*(sequence, uuid, number, *said, previous))
        agrees = own.items() <= read.items() and len(read) == len(own) + len(read.keys() & BESIDE)
        link = Link(sequence, str(workstream or ""), number, leaf, agrees, leaf_hash, previous)
        yield Recorded(link, workstream, read)


_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _read(leaf: str) -> Mapping[str, Any]:
    """What a leaf says; nothing of one that is no canonical JSON."""
    try:
        read = _DECODER.decode(leaf)
        written = _ENCODER.encode(read)
        good = isinstance(read, dict) and (written == leaf or rfc8785.dumps(read).decode() == leaf)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        return {}
    return read if good else {}
