"""A statement over many sources is made once and kept: Django takes longer to make it than the database to
answer it. Nothing but the time of asking is new in it each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

#: Stands in a kept statement for the time of asking: nothing else is of that moment.
THEN: Final = datetime(1, 2, 3, 4, 5, 6, 789123, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimedStatement:
    """SQL, its parameters, and the places among them that are the time of asking."""

    sql: str
    parameters: Sequence[Any]
    times: frozenset[int]

    @classmethod
    def of(cls, sql: str, parameters: Sequence[Any]) -> "TimedStatement":
        """Of a query in which `THEN` is the time of asking."""
        then = _stored(THEN)
        return cls(sql, parameters, frozenset(n for n, one in enumerate(parameters) if one == then))

    def rows(self, now: datetime, *more: Any) -> list[tuple[Any, ...]]:
        """What the database answers at that time; `more` parameters stand behind its own."""
        moment = _stored(now)
        given = [moment if place in self.times else one for place, one in enumerate(self.parameters)]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [*given, *more])
            return list(cursor.fetchall())


def _stored(moment: datetime) -> Any:
    """A time as a column gives it to the database."""
    return connection.ops.adapt_datetimefield_value(moment)
