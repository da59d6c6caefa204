"""Rows that every act writes, by statements that are made once.

Django makes the SQL of a save anew each time, which takes several times as long as the database takes to
write a row by its id.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from typing import Any, Final, NamedTuple, Protocol, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import AutoField, Field, Model, QuerySet
from django.db.models.sql import UpdateQuery

from orchestrator.queries.base.sql import change, moment, stored

#: The type of the values that fields of a kind hand on unchanged; none of them changes None.
_UNCHANGED: Final[dict[str, type]] = {
    "CharField": str,
    "TextField": str,
    "IntegerField": int,
    "PositiveIntegerField": int,
    "PositiveBigIntegerField": int,
    "BigIntegerField": int,
    "ForeignKey": int,
    "OneToOneField": int,
    "BooleanField": bool,
    "AutoField": int,
    "BigAutoField": int,
}


class WrittenColumn(NamedTuple):
    """A column that is written: its field, where a row keeps its value, and the type of the values that go to
    the database as they are."""

    field: "Field[Any, Any]"
    name: str
    unchanged: type | None

    def value_of(self, row: Model) -> Any:
        return self.prepared(getattr(row, self.name))

    def prepared(self, value: Any) -> Any:
        """What the database gets of a value."""
        kind = type(value)
        if value is None or kind is self.unchanged:
            return value
        if self.unchanged is str and isinstance(value, str):
            return value
        if kind is datetime and value.tzinfo is UTC:
            return moment(value)
        return self.field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])


@cache
def _columns(model: type[Model]) -> tuple[WrittenColumn, ...]:
    """The columns that are written of a row, without its key where the database counts."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    return tuple(_column(field) for field in fields if not isinstance(field, AutoField))


def _column(field: "Field[Any, Any]") -> WrittenColumn:
    return WrittenColumn(field, field.attname, _UNCHANGED.get(field.get_internal_type()))


class RowWithStored(Protocol):
    """A row of a model that knows what its columns hold in the database."""

    pk: Any
    stored: Mapping[str, Any]

    def remember_stored(self) -> None: ...


def changed_columns(row: RowWithStored) -> list[WrittenColumn]:
    """The columns in which a row differs from what is stored of it."""
    held, known = vars(row), row.stored
    return [
        column
        for column in _columns(cast(type[Model], type(row)))
        if column.name in held and (column.name not in known or held[column.name] != known[column.name])
    ]


class UpdateChanged:
    """Writes the columns of a stored row that were changed since it was read, and nothing else: an index of
    another column is so left alone; answers with their names. RuntimeError when the row is not there any
    more."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    def __call__(self, row: RowWithStored) -> tuple[str, ...]:
        changed = changed_columns(row)
        if not changed:
            return ()
        text = _update_where(self._model, tuple(column.field.name for column in changed), self._by_key)
        if change(text, *(column.value_of(cast(Model, row)) for column in changed), row.pk) != 1:
            raise RuntimeError(f"{row!r} is not stored.")
        row.remember_stored()
        return tuple(column.name for column in changed)

    @cached_property
    def _by_key(self) -> tuple[tuple[str, int], ...]:
        return ((self._model._meta.pk.name, 1),)


class UpdateWhere:
    """Writes columns of the rows in which other columns have given values (for a list: one of its values),
    and answers how many rows those were."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    def __call__(self, where: Mapping[str, Any], **columns: Any) -> int:
        known = _columns_by_name(self._model)
        values = [known[name].prepared(_key(value)) for name, value in columns.items()]
        sizes = []
        for name, value in where.items():
            wanted = value if isinstance(value, list) else [value]
            values += [known[name].prepared(each) for each in wanted]
            sizes.append((name, len(wanted)))
        return change(_update_where(self._model, tuple(columns), tuple(sizes)), *values)


def _key(value: Any) -> Any:
    """What the column of a reference holds: the key of the row that is given for it."""
    return value.pk if isinstance(value, Model) else value


@lru_cache(500)
def _update_where(model: type[Model], columns: tuple[str, ...], where: tuple[tuple[str, int], ...]) -> str:
    known = _columns_by_name(model)
    written = ", ".join(f'"{known[name].field.column}" = %s' for name in columns)
    conditions = " AND ".join(
        f'"{known[name].field.column}" IN ({", ".join(["%s"] * size)})' for name, size in where
    )
    return f'UPDATE "{model._meta.db_table}" SET {written} WHERE {conditions}'


@cache
def _columns_by_name(model: type[Model]) -> dict[str, WrittenColumn]:
    return {field.name: _column(field) for field in model._meta.concrete_fields}


def changed(rows: "QuerySet[Any]", /, **columns: object) -> list[int]:
    """Writes columns of all these rows, as `QuerySet.update` does, and answers with their keys."""
    query = cast(UpdateQuery, rows.query.chain(UpdateQuery))
    query.add_update_values(columns)
    try:
        sql, values = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
    except EmptyResultSet:  # as where a list of ids is empty
        return []
    with connection.cursor() as cursor:
        cursor.execute(f'{sql} RETURNING "{rows.model._meta.pk.column}"', values)
        return sorted(key for (key,) in cursor.fetchall())


class InsertRow:
    """Writes a new row, and gives it its id where the database counts them."""

    def __init__(self, model: type[Model]) -> None:
        self._several = InsertRows(model)

    def __call__(self, row: Model) -> None:
        self._several([row])


class InsertRows:
    """Writes new rows in as few statements as a database takes, and gives them their ids; as `bulk_create`
    does, but that makes each statement anew."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    def __call__(self, rows: Sequence[Model]) -> None:
        features, columns = connections[DEFAULT_DB_ALIAS].features, _columns(self._model)
        if not features.can_return_columns_from_insert:
            self._model._default_manager.bulk_create(rows)
            return
        together = min(features.max_query_params or MOST_VALUES, MOST_VALUES) // len(columns)
        for start in range(0, len(rows), together):
            self._insert(rows[start : start + together], columns)

    def _insert(self, rows: Sequence[Model], columns: Sequence[WrittenColumn]) -> None:
        values = [column.value_of(row) for row in rows for column in columns]
        with connection.cursor() as cursor:
            cursor.execute(_insert(self._model, len(rows)), values)
            keys = cursor.fetchall()
        for row, (key,) in zip(rows, keys, strict=True):
            row.pk = key
            stored(row)


#: Most values of one statement.
MOST_VALUES: Final = 20_000


@lru_cache(500)
def _insert(model: type[Model], count: int) -> str:
    meta, columns = model._meta, _columns(model)
    named = ", ".join(f'"{column.field.column}"' for column in columns)
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * count)
    return f'INSERT INTO "{meta.db_table}" ({named}) VALUES {places} RETURNING "{meta.pk.column}"'
