"""A statement over many sources is made once and kept: Django takes longer to make it than the database to
answer it. A value or two of it are new each time, mostly the time of asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from django.db import connection

#: Stands in a kept statement for the time of asking: nothing else is of that moment.
THEN: Final = datetime(1, 2, 3, 4, 5, 6, 789123, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """SQL, its parameters, and the places among them that are new each time."""

    sql: str
    parameters: Sequence[Any]
    places: frozenset[int]

    @classmethod
    def of(cls, sql: str, parameters: Sequence[Any], stand_in: Any) -> Self:
        """Of a query in which `stand_in` holds the place of what is new."""
        return cls(sql, parameters, frozenset(n for n, one in enumerate(parameters) if one == stand_in))

    def rows(self, new: Any, *more: Any) -> list[tuple[Any, ...]]:
        """What the database answers with `new` in its places; `more` parameters stand behind its own."""
        given = [new if place in self.places else one for place, one in enumerate(self.parameters)]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [*given, *more])
            return list(cursor.fetchall())


class TimedStatement:
    """A kept statement in which the time of asking is new."""

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        """Of a query in which `THEN` is the time of asking."""
        self._kept = KeptStatement.of(sql, parameters, _stored(THEN))

    def rows(self, now: datetime, *more: Any) -> list[tuple[Any, ...]]:
        """What the database answers at that time."""
        return self._kept.rows(_stored(now), *more)


def _stored(moment: datetime) -> Any:
    """A time as a column gives it to the database."""
    return connection.ops.adapt_datetimefield_value(moment)
