"""Rows that every act writes, by statements that are made once.

Django makes the SQL of a save anew each time, which takes several times as long as the database takes to
write a row by its id.
"""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any, Final, Protocol, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import AutoField, Field, Model

from orchestrator.queries.base.sql import change


class UpdateRow:
    """Writes the `columns` of a stored row, or all of them; RuntimeError when it is not there any more."""

    def __init__(self, model: type[Model], columns: tuple[str, ...] = ()) -> None:
        self._model, self._columns = model, columns

    def __call__(self, row: Model) -> None:
        if change(self._text, *_values(row, self._fields), row.pk) != 1:
            raise RuntimeError(f"{row!r} is not stored.")

    @cached_property
    def _fields(self) -> list["Field[Any, Any]"]:
        fields = [field for field in _written(self._model) if not field.primary_key]
        return [field for field in fields if not self._columns or field.name in self._columns]

    @cached_property
    def _text(self) -> str:
        meta = self._model._meta
        columns = ", ".join(f'"{field.column}" = %s' for field in self._fields)
        return f'UPDATE "{meta.db_table}" SET {columns} WHERE "{meta.pk.column}" = %s'


class RowWithStored(Protocol):
    """A row of a model that knows what its columns hold in the database."""

    pk: Any
    stored: Mapping[str, Any]

    def remember_stored(self) -> None: ...


class UpdateChanged:
    """Writes the columns of a stored row that were changed since it was read, and nothing else: an index of
    another column is so left alone. RuntimeError when the row is not there any more."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    def __call__(self, row: RowWithStored) -> None:
        columns, stored = vars(row), row.stored
        changed = [
            field
            for field in self._fields
            if field.attname not in stored or columns[field.attname] != stored[field.attname]
        ]
        if not changed:
            return
        text = _update_where(self._model, tuple(field.name for field in changed), self._by_key)
        if change(text, *_values(cast(Model, row), changed), row.pk) != 1:
            raise RuntimeError(f"{row!r} is not stored.")
        row.remember_stored()

    @cached_property
    def _fields(self) -> list["Field[Any, Any]"]:
        return [field for field in _written(self._model) if not field.primary_key]

    @cached_property
    def _by_key(self) -> tuple[tuple[str, int], ...]:
        return ((self._model._meta.pk.name, 1),)


class UpdateWhere:
    """Writes columns of the rows in which other columns have given values (for a list: one of its values),
    and answers how many rows those were."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    def __call__(self, where: Mapping[str, Any], **columns: Any) -> int:
        fields = _fields_by_name(self._model)
        values = [fields[name].get_db_prep_save(_key(value), connection) for name, value in columns.items()]
        sizes = []
        for name, value in where.items():
            wanted = value if isinstance(value, list) else [value]
            values += [fields[name].get_db_prep_value(each, connection) for each in wanted]
            sizes.append((name, len(wanted)))
        return change(_update_where(self._model, tuple(columns), tuple(sizes)), *values)


def _key(value: Any) -> Any:
    """What the column of a reference holds: the key of the row that is given for it."""
    return value.pk if isinstance(value, Model) else value


@lru_cache(500)
def _update_where(model: type[Model], columns: tuple[str, ...], where: tuple[tuple[str, int], ...]) -> str:
    fields = _fields_by_name(model)
    written = ", ".join(f'"{fields[name].column}" = %s' for name in columns)
    conditions = " AND ".join(
        f'"{fields[name].column}" IN ({", ".join(["%s"] * size)})' for name, size in where
    )
    return f'UPDATE "{model._meta.db_table}" SET {written} WHERE {conditions}'


@cache
def _fields_by_name(model: type[Model]) -> dict[str, "Field[Any, Any]"]:
    return {field.name: field for field in model._meta.concrete_fields}


class InsertRow:
    """Writes a new row, and gives it its id where the database counts them."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    def __call__(self, row: Model) -> None:
        if not connection.features.can_return_columns_from_insert:
            row.save(force_insert=True)
            return
        with connection.cursor() as cursor:
            cursor.execute(self._text, _values(row, self._fields))
            row.pk = cursor.fetchone()[0]

    @cached_property
    def _fields(self) -> list["Field[Any, Any]"]:
        return [field for field in _written(self._model) if not isinstance(field, AutoField)]

    @cached_property
    def _text(self) -> str:
        meta, columns = self._model._meta, [f'"{field.column}"' for field in self._fields]
        places = ", ".join(["%s"] * len(columns))
        into = f'INSERT INTO "{meta.db_table}" ({", ".join(columns)}) VALUES ({places})'
        return f'{into} RETURNING "{meta.pk.column}"'


class InsertRows:
    """Writes new rows in one statement, and gives them their ids; as `bulk_create` does, but that makes the
    statement anew each time."""

    def __init__(self, model: type[Model]) -> None:
        self._model, self._one = model, InsertRow(model)

    def __call__(self, rows: Sequence[Model]) -> None:
        if len(rows) == 1:
            self._one(rows[0])
        elif rows:
            self._model._default_manager.bulk_create(rows)


def _written(model: type[Model]) -> list["Field[Any, Any]"]:
    return [field for field in model._meta.concrete_fields if not field.generated]


def _values(row: Model, fields: list["Field[Any, Any]"]) -> list[Any]:
    """What the database gets of each field. A value that Django would hand on as it is goes there at once."""
    database, values = connections[DEFAULT_DB_ALIAS], []
    for field in fields:
        value = getattr(row, field.attname)
        if value is None or type(value) is not _UNCHANGED.get(field.get_internal_type()):
            value = field.get_db_prep_save(value, database)
        values.append(value)
    return values


#: The type of the values that fields of a kind hand on unchanged.
_UNCHANGED: Final[dict[str, type]] = {
    "CharField": str,
    "TextField": str,
    "IntegerField": int,
    "PositiveIntegerField": int,
    "BigIntegerField": int,
    "ForeignKey": int,
    "OneToOneField": int,
    "BooleanField": bool,
}
