"""What an entry says of rows by their digests: which columns of theirs never change again (FR-009).

An entry that speaks of rows names, for each kind, their ids and the root of an RFC 6962 tree over them, in
the order of their ids. A row's bytes are the canonical JSON (RFC 8785) of its columns: text, whole numbers,
truth values and nothing else, so that Python's own writer makes the same bytes as any other.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.core.sealing.merkle import leaf_hash, root_of

Value = str | int | bool | None
_WRITE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def row_bytes(kind: str, row_id: int, columns: Mapping[str, Value]) -> bytes:
    """The bytes that a digest is made of."""
    said = {"kind": kind, "id": row_id, "columns": dict(columns)}
    return _WRITE(said).encode()


def rows_root(rows: Iterable[bytes]) -> str:
    """The root over rows in the order of their ids."""
    return root_of(leaf_hash(row) for row in rows).hex()


def written_ids(ids: Sequence[int]) -> str:
    """`3-5,9`: ids that rise, those that follow one another as one part."""
    parts: list[str] = []
    start = last = ids[0]
    for one in [*ids[1:], -1]:
        if one != last + 1:
            parts.append(str(start) if start == last else f"{start}-{last}")
            start = one
        last = one
    return ",".join(parts)


def read_ids(text: str) -> list[int]:
    """The ids that `written_ids` wrote. Raises ValueError for anything else."""
    ids: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        ids += range(int(first), int(last or first) + 1)
    if not ids or written_ids(ids) != text:
        raise ValueError("Ids are whole numbers that rise.")
    return ids
