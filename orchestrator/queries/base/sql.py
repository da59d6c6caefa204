"""SQL written by hand, for what every act reads and writes.

Django makes the SQL of a query anew whenever it is asked, which takes ten times as long as the database takes
to answer a read by index. A `Joined` is made once: it reads rows of several tables, and single values, in one
statement.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Protocol, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import (
    BooleanField,
    DateTimeField,
    DurationField,
    Field,
    JSONField,
    Model,
    QuerySet,
    UUIDField,
)
from django.db.models.base import ModelState

#: By the alias of its table, a row or None where nothing was joined; by its name, a value.
Found = Mapping[str, Any]


class RemembersStored(Protocol):
    """A row that tells what changed since it was read."""

    def remember_stored(self) -> None: ...


class Table(NamedTuple):
    """A table of a statement and which of its columns are read: all of them, or `only` these.

    A column that was not read is read by Django when somebody asks the row for it.
    """

    model: type[Model]
    only: tuple[str, ...] = ()


class _Part(NamedTuple):
    """How the columns of one table become a row: where they begin and end in the answer, their fields in the
    model's order, the place of the primary key, and what reads values that are not Django's yet."""

    model: type[Model]
    start: int
    end: int
    names: tuple[str, ...]
    key: int
    readers: tuple[tuple[str, Callable[[Any], Any]], ...]
    remembers: bool

    def row(self, columns: Sequence[Any]) -> Model | None:
        """As `Model.from_db` makes it, without what that does for each column: nobody listens to rows being
        made, and a column that was not read is simply not there yet."""
        if columns[self.start + self.key] is None:
            return None
        values = dict(zip(self.names, columns[self.start : self.end], strict=True))
        for name, read in self.readers:
            if values[name] is not None:
                values[name] = read(values[name])
        row = self.model.__new__(self.model)
        state = values["_state"] = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        vars(row).update(values)
        if self.remembers:
            cast(RemembersStored, row).remember_stored()
        return row


class Joined:
    """A statement: rows of `tables`, by their alias in `source`, and `values`, which are SQL by name.

    `source` is what stands behind `from`, with `%s` for each parameter. A truth value comes as Django's own
    would, other values as the database gives them.
    """

    def __init__(
        self, tables: Mapping[str, Table], source: str, values: Mapping[str, str] | None = None
    ) -> None:
        self._tables, self._source, self._values = tables, source, values or {}

    def rows(self, *parameters: Any) -> list[Found]:
        """Ask the database; the rows in the order that `source` says."""
        with connection.cursor() as cursor:
            cursor.execute(self._text, parameters)
            answer = cursor.fetchall()
        return [self._found(columns) for columns in answer]

    def first(self, *parameters: object) -> Found | None:
        return next(iter(self.rows(*parameters)), None)

    def _found(self, columns: Sequence[Any]) -> Found:
        found: dict[str, Any] = {alias: part.row(columns) for alias, part in self._parts.items()}
        found.update(zip(self._values, columns[self._width :], strict=True))
        return found

    @cached_property
    def _text(self) -> str:
        read = [
            f'{alias}."{field.column}"' for alias, table in self._tables.items() for field in _fields(table)
        ]
        read += [f"{sql} AS {name}" for name, sql in self._values.items()]
        return f"SELECT {', '.join(read)} FROM {self._source}"

    @cached_property
    def _width(self) -> int:
        return sum(len(part.names) for part in self._parts.values())

    @cached_property
    def _parts(self) -> dict[str, _Part]:
        parts: dict[str, _Part] = {}
        start = 0
        for alias, table in self._tables.items():
            fields = _fields(table)
            names = tuple(field.attname for field in fields)
            readers = tuple((field.attname, read) for field in fields if (read := _reader(field)))
            key = [field.primary_key for field in fields].index(True)
            remembers = hasattr(table.model, "remember_stored")
            parts[alias] = _Part(table.model, start, start + len(names), names, key, readers, remembers)
            start += len(names)
        return parts


def moment(value: datetime) -> datetime | str:
    """A parameter of a statement: a time in UTC as its column holds it. Django writes it so as well, and asks
    for zones first."""
    return str(value.replace(tzinfo=None)) if connection.vendor == "sqlite" else value


def link(row: Model, name: str, other: Model | None) -> None:
    """Have a row know the one that its column names, so that nobody asks the database for it; both were read
    together, so nothing has to be compared."""
    row._state.fields_cache[name] = other


def stored(row: Model) -> None:
    """Have a row know that an insert has stored it."""
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def change(sql: str, *parameters: Any) -> int:
    """Run a statement that changes rows; how many it did. A moment is given as its field prepares it."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        changed: int = cursor.rowcount
    return changed


def _fields(table: Table) -> list["Field[Any, Any]"]:
    """In the model's order, which `Model.from_db` asks for."""
    fields = table.model._meta.concrete_fields
    return [field for field in fields if not table.only or field.attname in table.only or field.primary_key]


def _reader(field: "Field[Any, Any]") -> Callable[[Any], Any] | None:
    """What makes the value of a column Django's: SQLite has neither moments with a zone, nor spans of
    time, truth values or UUIDs, and JSON comes as text."""
    if isinstance(field, DateTimeField):
        return aware
    if isinstance(field, BooleanField | UUIDField):
        return field.to_python
    if isinstance(field, JSONField):
        return json.loads
    if isinstance(field, DurationField):
        return span
    return None


def aware(moment: datetime) -> datetime:
    """A moment as SQLite keeps it is in UTC and does not say so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def plain_rows(rows: "QuerySet[Any, Any]") -> Sequence[Sequence[Any]]:
    """The values of a query as the database gives them: Django looks up the type of every value of every row,
    which for thousands of rows takes longer than reading them. Whoever reads knows what each column is."""
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # Django sees by itself that there is nothing
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def streamed(rows: "QuerySet[Any, Any]", together: int) -> Iterator[Sequence[Any]]:
    """The same of rows of which there are too many to have them all at once."""
    return answers(*rows.query.sql_with_params(), together=together)


def answers(sql: str, parameters: Sequence[Any] | None = None, *, together: int) -> Iterator[Sequence[Any]]:
    """What the database answers to a statement, fetched so many rows at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while some := cursor.fetchmany(together):
            yield from some


def span(length: int | timedelta) -> timedelta:
    """A length of time; SQLite counts it in microseconds."""
    return length if isinstance(length, timedelta) else timedelta(microseconds=length)
