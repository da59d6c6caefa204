"""Digests of many rows at a time, by what the database holds (FR-009).

SQLite writes the bytes of a row itself, in a third of the time that Python takes. Where both write another
thing, as for a column that holds what its type has not, the digest is another one too: who compares digests
has that row read once more, and written by Python (`queries/base/spoken.py`).
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, Final

from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    ForeignKey,
    IntegerField,
    TextField,
)

from orchestrator.core.sealing.rows import Value
from orchestrator.queries.base.parts import MANY, in_parts
from orchestrator.queries.base.parts_of_rows import RowPart
from orchestrator.queries.base.sql import answers

#: What both write alike as it is.
_PLAIN: Final = (CharField, TextField, IntegerField, ForeignKey)
#: Signs that JSON writes otherwise than they are, and some that it does not.
_SIGNS: Final = "".join(map(chr, range(256))) + "\u2028€😀"
Digests = Iterator[tuple[int, bytes]]


def is_quick(part: RowPart) -> bool:
    """Whether the database can write its rows; whoever asks for digests of others is wrong here."""
    return connection.vendor == "sqlite" and _writes_alike() and bool(_statement(part))


def quick_digests(part: RowPart, ids: Sequence[int]) -> Digests:
    """Ids and digests of those of the rows that are there."""
    for some in in_parts(ids):
        these = ",".join(map(int.__repr__, some))
        yield from _hashed(f"{_statement(part)} WHERE {part.key_column} IN ({these})")


def quick_changed(part: RowPart) -> Digests:
    """The same of all rows but those that are as the model makes them."""
    other = " OR ".join(f"{name} IS NOT %s" for name in part.column_names)
    blank = [part.blank[name] for name in part.columns]
    yield from _hashed(f"{_statement(part)} WHERE {other}", blank)


def _hashed(sql: str, parameters: Sequence[Value] | None = None) -> Digests:
    for key, content in answers(sql, parameters, together=MANY):
        yield key, sha256(content).digest()


@lru_cache(500)
def _statement(part: RowPart) -> str:
    """What has keys of rows and what is hashed of them, up to its condition; empty where Python has to write
    them."""
    columns = [_written(field, name) for field, name in zip(part.fields, part.column_names, strict=True)]
    if not all(columns):
        return ""
    pairs = ", ".join(f"'{name}', {sql}" for name, sql in zip(part.columns, columns, strict=True))
    behind = f',"kind":{encode_basestring(part.kind)}}}'.replace("'", "''")
    text = f"""'{{"columns":' || json_object({pairs}) || ',"id":' || {part.key_column} || '{behind}'"""
    return f"SELECT {part.key_column}, CAST(x'00' || {text} AS BLOB) FROM {part.table}"  # noqa: S608


def _written(field: "Field[Any, Any]", name: str) -> str:
    """A column as a row's bytes have it; empty for one that is written by Python alone."""
    if isinstance(field, DateTimeField):
        text = f"CAST({name} AS TEXT)"
        usual = f"length(CAST({name} AS BLOB)) IN (19, 26)"
        moment = f"substr({text}, 1, 10) || 'T' || substr({text}, 12) || '+00:00'"
        return f"CASE WHEN {usual} THEN {moment} ELSE {text} END"
    if isinstance(field, BooleanField):
        return f"CASE WHEN {name} IS NOT NULL THEN json(CASE {name} WHEN 1 THEN 'true' ELSE 'false' END) END"
    return name if isinstance(field, _PLAIN) else ""


@cache
def _writes_alike() -> bool:
    """Whether this SQLite writes text as JSON the way Python does."""
    asked = "SELECT json_object('a', %s, 'b', json('true'), 'c', NULL, 'd', 1)"
    return [*answers(asked, [_SIGNS], together=1)] == [
        (f'{{"a":{encode_basestring(_SIGNS)},"b":true,"c":null,"d":1}}',)
    ]
