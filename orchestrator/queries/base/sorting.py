"""A list in the order that its reader chose."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F


def in_order(sort: str, keys: Mapping[str, Any], usual: Sequence[Any]) -> list[Any]:
    """What to order by: the column that `sort` names, `-` before it for the other way round, then as usual.

    Rows without a value come last either way.
    """
    if not sort:
        return list(usual)
    column = keys[sort.removeprefix("-")]
    column = F(column) if isinstance(column, str) else column
    way = column.desc if sort.startswith("-") else column.asc
    return [way(nulls_last=True), *usual]
