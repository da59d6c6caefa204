"""Proofs that entries are in the history, for people and other programs, and for whoever is offline
(FR-009).

A proof has the entries as they are recorded, the newest checkpoint, and the hashes that lead from the one
to the other; with an older checkpoint, also those that show that the history begins with it.
`proofs/verify.py` checks it.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.errors import InvalidInput, NotFound
from orchestrator.core.sealing.merkle import consistency_proof, inclusion_proof
from orchestrator.models import HistoryEntry, Workstream
from orchestrator.services.sealing.keys import key_ring
from orchestrator.services.sealing.seals import Sealed, sealed_tree

FORMAT = "orchestrator-proof/1"
#: Entries that one proof holds.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands in the file, and how to write it."""

    content: dict[str, Any]

    @property
    def as_json(self) -> str:
        return json.dumps(self.content, indent=1, ensure_ascii=False) + "\n"

    @property
    def as_text(self) -> str:
        """C2SP `tlog-proof` of the first entry, which stands in its extra line."""
        one = self.content["entries"][0]
        lines = ["c2sp.org/tlog-proof@v1", f"extra {_b64(one['leaf'].encode())}", f"index {one['index']}"]
        return "\n".join([*lines, *one["inclusion"], "", self.content["checkpoint"]])


def proof_of(entries: Iterable[HistoryEntry], since: int | None = None) -> Proof:
    """A proof of these entries under the newest checkpoint; `since` is the size of an older one that
    somebody kept.

    NotFound while one of them is not sealed, which takes a second at most; InvalidInput for a size beyond
    the newest.
    """
    rows, tree = list(entries), sealed_tree()
    if not rows:
        raise NotFound("There is no entry to prove.")
    if tree is None or rows[-1].sequence > tree.head.size:
        raise NotFound("The entry is not sealed yet.", recovery="Wait a second, then ask again.")
    content: dict[str, Any] = {
        "format": FORMAT,
        "keys": [str(key) for key in key_ring().public],
        "checkpoint": tree.note,
        "entries": [_included(row, tree) for row in rows],
    }
    if since is not None:
        content["consistency"] = _growth(since, tree)
    return Proof(content)


def _included(row: HistoryEntry, tree: Sealed) -> dict[str, Any]:
    index = row.sequence - 1
    path = inclusion_proof(tree.nodes, index, tree.head.size)
    return {"leaf": row.leaf, "index": index, "inclusion": [_b64(one) for one in path]}


def _growth(since: int, tree: Sealed) -> dict[str, Any]:
    if not 0 < since <= tree.head.size:
        raise InvalidInput(
            f"The newest checkpoint covers {tree.head.size} entries; the one you kept cannot cover {since}.",
            field="since",
        )
    path = consistency_proof(tree.nodes, since, tree.head.size)
    return {"from": since, "hashes": [_b64(one) for one in path]}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def entry_of(sequence: int) -> HistoryEntry:
    """NotFound when the history does not go that far."""
    row = HistoryEntry.objects.select_related("workstream", "corrects").filter(sequence=sequence).first()
    if row is None:
        raise NotFound(f"There is no entry {sequence}.")
    return row


def entries_about(workstream: Workstream, key: str) -> Sequence[HistoryEntry]:
    """What was decided about a step of a workstream, oldest first: entries whose subject is one of its
    attempts."""
    rows = HistoryEntry.objects.filter(workstream=workstream, subject__startswith=f"{key} attempt ")
    return list(rows.order_by("sequence")[:MOST])
