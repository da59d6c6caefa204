"""Parts of a row that the history speaks of by digests, and what becomes of the columns that it does not
speak of (FR-009)."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet

from orchestrator.core.sealing.rows import Value, row_bytes
from orchestrator.queries.base.row_values import value_of


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
        self.columns = tuple(columns.split())

    @property
    def rows(self) -> "QuerySet[Any]":
        rows = getattr(self.model, "ever", self.model._default_manager).all()
        return self.which(rows) if self.which else rows

    def key_of(self, row: Model) -> int:
        return int(getattr(row, "pk" if self.key == "id" else self.key))

    def bytes_of(self, row: Model) -> bytes:
        """By what the object of a row that is written holds."""
        columns = {name: value_of(getattr(row, name)) for name in self.columns}
        return row_bytes(self.kind, self.key_of(row), columns)

    def bytes_with(self, row_id: int, values: Mapping[str, object]) -> bytes:
        """By the values of all of its columns."""
        return row_bytes(self.kind, row_id, {name: value_of(values[name]) for name in self.columns})

    def is_blank(self, row: Model) -> bool:
        return all(value_of(getattr(row, name)) == value for name, value in self.blank.items())

    @cached_property
    def blank(self) -> dict[str, Value]:
        """What the model makes of the columns by itself."""
        made = {one.attname: one.get_default() for one in self.model._meta.concrete_fields}
        return {name: value_of(made[name]) for name in self.columns}


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
