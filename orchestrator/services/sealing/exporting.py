"""The whole history as one file that proves itself offline: `proofs/verify.py` checks it (FR-009)."""

import json
from collections.abc import Iterator

from orchestrator.core.sealing.rows import read_ids
from orchestrator.models import HistoryCheckpoint
from orchestrator.queries.base.sealed import entries_sealed, leaves_after
from orchestrator.queries.base.spoken import stored
from orchestrator.services.sealing.keys import key_ring

FORMAT = "orchestrator-history/1"


def exported() -> Iterator[str]:
    """The lines of the file: what it is and which keys signed, every checkpoint, every entry with the rows
    that it speaks of, oldest first. Memory does not grow with the history."""
    keys = [str(key) for key in key_ring().public] if entries_sealed() else []
    yield _line({"export": FORMAT, "keys": keys})
    for note in HistoryCheckpoint.objects.order_by("size").values_list("note", flat=True).iterator():
        yield _line({"checkpoint": note})
    for leaf in leaves_after(0):
        yield _line({"leaf": leaf.leaf})
        for kind, said in json.loads(leaf.leaf).get("rows", {}).items():
            for _, row in stored(kind, read_ids(said["ids"])):
                yield _line({"row": json.loads(row)})


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
