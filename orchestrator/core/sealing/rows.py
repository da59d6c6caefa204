"""What an entry says of rows by their digests: which columns of theirs never change again (FR-009).

An entry that speaks of rows names, for each kind, their ids and the root of an RFC 6962 tree over them, in
the order of their ids. A row's bytes are the canonical JSON (RFC 8785) of its columns: text, whole numbers,
truth values and nothing else, so that Python's own writer makes the same bytes as any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring

from orchestrator.core.sealing.merkle import leaf_hash, root_of

Value = str | int | bool | None


def row_bytes(kind: str, row_id: int, columns: Mapping[str, Value]) -> bytes:
    """The bytes that a digest is made of: the canonical JSON of kind, id and columns."""
    names = tuple(sorted(columns))
    return row_of(kind, names, row_id, [columns[name] for name in names])


def row_of(kind: str, names: tuple[str, ...], row_id: int, values: Iterable[Value]) -> bytes:
    """The same of values in the order of the sorted names of their columns. Rows of a kind differ in nothing
    else, so the rest is written once. TypeError for a value that no row's bytes have."""
    return (_form(kind, names) % (*map(_text, values), int.__repr__(row_id))).encode()


@lru_cache(500)
def _form(kind: str, names: tuple[str, ...]) -> str:
    columns = ",".join(f'"{name}":%s' for name in names)
    return f'{{"columns":{{{columns}}},"id":%s,"kind":{encode_basestring(kind).replace("%", "%%")}}}'


def _text(value: Value) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    return int.__repr__(value)


def rows_root(rows: Iterable[bytes]) -> str:
    """The root over rows in the order of their ids; of one alone its own hash."""
    return root_of(map(leaf_hash, rows)).hex()


def rows_text(said: Mapping[str, Mapping[str, str]]) -> str:
    """The canonical text of what an entry says of rows, where that is what `said_of` makes: words without a
    sign that JSON writes otherwise, in their order. Of anything else it is another text than it was read
    from; ValueError, TypeError or KeyError where there is none."""
    if list(said) != sorted(said):
        raise ValueError("The kinds have an order.")
    return f"{{{','.join([_said_text(kind, one) for kind, one in said.items()])}}}"


def _said_text(kind: str, said: Mapping[str, str]) -> str:
    if "root" in said:
        return f'"{kind}":{{"ids":"{said["ids"]}","root":"{said["root"]}"}}'
    return f'"{kind}":{{"digests":"{said["digests"]}","ids":"{said["ids"]}"}}'


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
    if text.isdecimal() and str(one := int(text)) == text:
        return [one]
    ids: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        ids += range(int(first), int(last or first) + 1)
    if not ids or written_ids(ids) != text:
        raise ValueError("Ids are whole numbers that rise.")
    return ids
