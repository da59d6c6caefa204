"""The keys that the history itself names: the one that signed first, and those of its rotations (FR-009,
F33)."""

import json
from collections.abc import Iterable, Iterator

from orchestrator.core.actions import Action
from orchestrator.core.sealing.notes import PublicKey, Signature, read_note
from orchestrator.models import HistoryCheckpoint, HistoryEntry
from orchestrator.services.sealing.keys import is_right

CHANGES = (Action.HISTORY_KEY_ROTATED, Action.HISTORY_KEY_REPLACED)


def unnamed_keys(known: Iterable[PublicKey], signing: PublicKey | None = None) -> list[PublicKey]:
    """Those of the known keys that signed a checkpoint, or would sign the next, and that no entry names: so
    it is after a backup from before a rotation was put back. Empty while nothing is signed."""
    rows = HistoryCheckpoint.objects.order_by("size").values_list("note", flat=True)
    first = rows.first()
    if first is None:
        return []
    keys = tuple(known)
    named = {str(key) for key in read_note(first).signed_by(keys, is_right)} | set(_named())
    suspects = [key for key in keys if str(key) not in named]
    signed = {one for one in suspects if one == signing}
    if suspects:
        for note in rows.iterator(chunk_size=1000):
            signatures = read_note(note).signatures
            signed.update(key for key in suspects if _has_signed(key, signatures))
    return [key for key in suspects if key in signed]


def _has_signed(key: PublicKey, signatures: Iterable[Signature]) -> bool:
    return any(one.by(key) for one in signatures)


def _named() -> Iterator[str]:
    for leaf in HistoryEntry.objects.filter(action__in=CHANGES).values_list("leaf", flat=True):
        data = json.loads(leaf).get("data") or {}
        yield from (str(data[end]) for end in ("from", "to") if end in data)
