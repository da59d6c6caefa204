"""Parts of a row that the history speaks of by digests, and what becomes of the columns that it does not
speak of (FR-009)."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import BinaryField, DateTimeField, Field, JSONField, Model, QuerySet, UUIDField

from orchestrator.core.sealing.rows import Value, row_of
from orchestrator.queries.base.moments import written
from orchestrator.queries.base.parts import MANY
from orchestrator.queries.base.row_values import value_of

#: Rows with files that stand in memory at a time.
FEW: Final = 20


class RowPart:
    """Columns of a table that are written together: their word, and whether they are written `once`, with the
    row, or changed later. `which` are the rows whose part entries speak of where not all are; `key` names the
    column that tells the rows apart.

    What is written once is spoken of once. What changes later is as the model makes it until an entry says
    otherwise; the last entry that does counts.
    """

    def __init__(
        self,
        kind: str,
        model: type[Model],
        columns: str,
        *,
        once: bool,
        which: Callable[["QuerySet[Any]"], "QuerySet[Any]"] | None = None,
        key: str = "id",
    ) -> None:
        self.kind, self.model, self.once, self.which, self.key = kind, model, once, which, key
        self.columns = tuple(sorted(columns.split()))

    @property
    def rows(self) -> "QuerySet[Any]":
        rows = getattr(self.model, "ever", self.model._default_manager).all()
        return self.which(rows) if self.which else rows

    def key_of(self, row: Model) -> int:
        return int(getattr(row, "pk" if self.key == "id" else self.key))

    def values(self, ids: Sequence[int]) -> Iterator[tuple[int, list[Value]]]:
        """Ids and columns of those of the rows that are there, as the database gives them: Django takes ten
        times as long to ask. Rows with files are read a few at a time."""
        together = FEW if any(isinstance(one, BinaryField) for one in self.fields) else MANY
        for start in range(0, len(ids), together):
            some = ids[start : start + together]
            with connection.cursor() as cursor:
                cursor.execute(f"{self._select} IN ({', '.join(['%s'] * len(some))})", some)
                found = cursor.fetchall()
            for key, *values in found:
                for place, read in self._readers:
                    if values[place] is not None:
                        values[place] = read(values[place])
                yield key, values

    @cached_property
    def fields(self) -> "list[Field[Any, Any]]":
        fields = {one.attname: one for one in self.model._meta.concrete_fields}
        return [fields[name] for name in self.columns]

    @cached_property
    def column_names(self) -> list[str]:
        """Of its columns, as SQL has them."""
        return [_quoted(str(one.column)) for one in self.fields]

    @cached_property
    def key_column(self) -> str:
        fields = self.model._meta.concrete_fields
        return next(_quoted(str(one.column)) for one in fields if one.attname == self.key)

    @cached_property
    def table(self) -> str:
        return _quoted(self.model._meta.db_table)

    @cached_property
    def _select(self) -> str:
        """Up to the ids. What SQLite would read as a moment is read here."""
        cast = "CAST({} AS TEXT)" if connection.vendor == "sqlite" else "{}"
        columns = [
            (cast if isinstance(one, DateTimeField) else "{}").format(name)
            for one, name in zip(self.fields, self.column_names, strict=True)
        ]
        chosen = ", ".join([self.key_column, *columns])
        return f"SELECT {chosen} FROM {self.table} WHERE {self.key_column}"  # noqa: S608

    @cached_property
    def _readers(self) -> list[tuple[int, Callable[[Any], Value]]]:
        """By the place of their column, what makes values of a row's bytes; of the other columns they are."""
        readers = ((place, _reader(one)) for place, one in enumerate(self.fields))
        return [(place, read) for place, read in readers if read]

    def bytes_of(self, row: Model) -> bytes:
        """By what the object of a row that is written holds."""
        values = [value_of(getattr(row, name)) for name in self.columns]
        return row_of(self.kind, self.columns, self.key_of(row), values)

    def bytes_with(self, row_id: int, values: Mapping[str, object]) -> bytes:
        """By the values of all of its columns."""
        return row_of(self.kind, self.columns, row_id, [value_of(values[name]) for name in self.columns])

    def is_blank(self, row: Model) -> bool:
        return all(value_of(getattr(row, name)) == value for name, value in self.blank.items())

    @cached_property
    def blank(self) -> dict[str, Value]:
        """What the model makes of the columns by itself."""
        made = {one.attname: one.get_default() for one in self.model._meta.concrete_fields}
        return {name: value_of(made[name]) for name in self.columns}


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _reader(field: "Field[Any, Any]") -> Callable[[Any], Value] | None:
    """What is not text, a number or a truth value as the database gives it."""
    if isinstance(field, DateTimeField):
        return lambda moment: written(moment if isinstance(moment, str) else moment.astimezone(UTC))
    if isinstance(field, JSONField):
        return lambda text: value_of(json.loads(text))
    if isinstance(field, UUIDField):
        return lambda value: value_of(field.to_python(value))
    return value_of if isinstance(field, BinaryField) else None


class Coverage(NamedTuple):
    """What the history says of a table. `derived` are columns that are made again from something else, by
    what that is; `apart` are columns that nothing is decided by, with the reason."""

    model: type[Model]
    parts: tuple[RowPart, ...]
    derived: Mapping[str, str]
    apart: Mapping[str, str]

    def parts_with(self, columns: "frozenset[str]") -> list[RowPart]:
        """The parts that are changed later and have any of the columns."""
        return [part for part in self.parts if not part.once and columns & set(part.columns)]
