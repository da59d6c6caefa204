"""Queries that run many times a second, behind plain functions: called for the rows, not for the query."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

Row = TypeVar("Row")


class Prepared(Generic[Row]):
    """A function from arguments to a queryset, called for the rows themselves."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __call__(self, *arguments: object) -> list[Row]:
        return list(self._build(*arguments))
