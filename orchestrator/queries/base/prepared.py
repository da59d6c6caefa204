"""Queries that run many times a second, with SQL that is made once.

Django makes the SQL of a query anew whenever it is asked, which takes ten times as long as SQLite or
PostgreSQL take to answer a read by index. A prepared query keeps what it made, and puts other numbers in.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet, prefetch_related_objects
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")

#: Numbers from here on stand for the arguments while the SQL is made; no row, place or constant of a query is
#: as large, and all of them fit into every integer column.
STAND_IN: Final = 2_100_000_000


class Prepared(Generic[Row]):
    """A function from arguments to a queryset, called for the rows themselves.

    Whole numbers and lists of them are parameters; the queryset may do nothing with them but compare columns
    with them. A list stands in an `in` lookup: without members there are no rows. Any other argument (text, a
    truth value, None) is part of the query: another value makes another SQL.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__
        # A connection, and so what was made for it, belongs to a thread.
        self._made = threading.local()

    def __call__(self, *arguments: object) -> list[Row]:
        numbers: list[int] = []
        shape: list[object] = []
        for argument in arguments:
            if isinstance(argument, int) and not isinstance(argument, bool):
                numbers.append(argument)
                shape.append(int)
            elif isinstance(argument, list | set | frozenset):
                if not argument:
                    return []
                padded = _padded(sorted(argument))
                numbers += padded
                shape.append((list, len(padded)))
            else:
                shape.append(argument)
        return self._statement(tuple(shape)).rows(numbers)

    def _statement(self, shape: tuple[object, ...]) -> "_Statement[Row]":
        made = cast("dict[object, _Statement[Row]]", self._made.__dict__)
        connection = connections[DEFAULT_DB_ALIAS]
        found = made.get(shape)
        if found is None or found.compiler.connection is not connection:
            found = made[shape] = _Statement(self._build(*_stand_ins(shape)), connection)
        return found


class _Statement(Generic[Row]):
    """SQL that was made, and where the arguments go in it."""

    def __init__(self, made: QuerySet[Any, Row], connection: Any) -> None:
        # What Django's own queryset does when it is asked for rows, which its types do not tell of.
        self._queryset = queryset = cast(Any, made)
        self.compiler: SQLCompiler = queryset.query.get_compiler(connection=connection)
        self._sql, self._parameters = self.compiler.as_sql()
        # From here on, Django runs what was made.
        self.compiler.as_sql = self._as_sql
        queryset.query.get_compiler = self._get_compiler
        self._prefetched = queryset._prefetch_related_lookups
        self._numbers: Sequence[int] = ()

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        self._numbers = numbers
        found: list[Row] = list(self._queryset._iterable_class(self._queryset))
        if found and self._prefetched:
            prefetch_related_objects(cast(list[Any], found), *self._prefetched)
        return found

    def _as_sql(self, *_: object, **__: object) -> tuple[str, tuple[object, ...]]:
        return self._sql, tuple(self._filled(one) for one in self._parameters)

    def _filled(self, parameter: object) -> object:
        # Django gives PostgreSQL kinds of int that name the column's width.
        if isinstance(parameter, int) and not isinstance(parameter, bool) and parameter >= STAND_IN:
            return type(parameter)(self._numbers[parameter - STAND_IN])
        return parameter

    def _get_compiler(self, *_: object, **__: object) -> SQLCompiler:
        return self.compiler


def _stand_ins(shape: Sequence[object]) -> list[object]:
    found: list[object] = []
    free = STAND_IN
    for one in shape:
        if one is int:
            found.append(free)
            free += 1
        elif isinstance(one, tuple):
            found.append(list(range(free, free + one[1])))
            free += one[1]
        else:
            found.append(one)
    return found


def _padded(numbers: list[int]) -> list[int]:
    """As many as a power of two, the last one repeated, so that few lengths need an SQL of their own."""
    length = 1 << (len(numbers) - 1).bit_length()
    return numbers + numbers[-1:] * (length - len(numbers))
