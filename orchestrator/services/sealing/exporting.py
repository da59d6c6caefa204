"""The whole history as one file that proves itself offline: `proofs/verify.py` checks it (FR-009)."""

import json
from collections.abc import Iterator, Sequence

from orchestrator.core.sealing.rows import read_ids
from orchestrator.models import HistoryCheckpoint
from orchestrator.queries.base.covered import PARTS
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.base.sealed import entries_sealed, leaves_after
from orchestrator.queries.base.spoken import stored
from orchestrator.services.sealing.keys import key_ring

FORMAT = "orchestrator-history/1"


def exported() -> Iterator[str]:
    """The lines of the file: what it is and which keys signed, every checkpoint, every entry with the rows
    that it speaks of, oldest first. Memory grows with the rows that change."""
    keys = [str(key) for key in key_ring().public] if entries_sealed() else []
    yield _line({"export": FORMAT, "keys": keys})
    for note in HistoryCheckpoint.objects.order_by("size").values_list("note", flat=True).iterator():
        yield _line({"checkpoint": note})
    size, new = 0, True
    while new:
        new, changed = False, dict[str, set[int]]()
        for leaf in leaves_after(size):
            size, new = leaf.sequence, True
            yield _line({"leaf": leaf.leaf})
            yield from _rows_of(leaf.leaf, changed)
        for kind, ids in changed.items():
            for some in in_parts(sorted(ids)):
                yield from _rows(kind, some)


def _rows_of(leaf: str, changed: dict[str, set[int]]) -> Iterator[str]:
    """The rows that an entry speaks of and that stay as they are; the ids of those that change are noted, to
    be written behind the last entry. Who works on meanwhile has them written again: the last counts."""
    for kind, said in json.loads(leaf).get("rows", {}).items():
        ids = read_ids(said["ids"])
        if PARTS[kind].once:
            yield from _rows(kind, ids)
        else:
            changed.setdefault(kind, set()).update(ids)


def _rows(kind: str, ids: Sequence[int]) -> Iterator[str]:
    for _, row in stored(kind, ids):
        yield _line({"row": json.loads(row)})


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
