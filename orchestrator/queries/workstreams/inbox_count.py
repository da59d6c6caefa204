"""The number beside the inbox, which every page shows (FR-002).

The list is a statement over a dozen sources, and Django takes longer to make it than the database to answer
it. So it is made once for a person with their roles and kept; only the time, which tells what is put off
until later, is given anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection

from orchestrator.core.actions import Action
from orchestrator.core.terms import Role
from orchestrator.models import Snooze
from orchestrator.queries.workstreams.inbox import everything_in, inbox_for

#: Stands in a kept statement for the time of asking: nothing else is of that moment.
_THEN: Final = datetime(1, 2, 3, 4, 5, 6, 789123, tzinfo=UTC)


class InboxOwner(NamedTuple):
    """Who asks: an account with its name and roles, and the actions that the acts expect of it."""

    person: int
    name: str
    roles: frozenset[Role]
    asked: frozenset[Action]


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL, its parameters but for the most that are counted, and the places among them that are the time of
    asking."""

    sql: str
    parameters: Sequence[Any]
    times: frozenset[int]

    def count(self, now: datetime, most: int) -> int:
        moment = _stored(now)
        given = [moment if place in self.times else one for place, one in enumerate(self.parameters)]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [*given, most])
            return int(cursor.fetchone()[0])


def count_waiting(owner: InboxOwner, now: datetime, most: int) -> int:
    """How many entries the inbox has that are not put off, or `most` where there are more: so the time that
    it takes does not grow with the list."""
    statement = _statement(owner)
    return statement.count(now, most) if statement else 0


@lru_cache(500)
def _statement(owner: InboxOwner) -> _Statement | None:
    user = User(pk=owner.person, username=owner.name)
    rows = everything_in(inbox_for(user, owner.roles, owner.asked, _THEN))
    if rows is None:
        return None
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # Django sees by itself that there is nothing
        return None
    moment = _stored(_THEN)
    counted = " ".join(("SELECT COUNT(*) FROM (", sql, "LIMIT %s) waiting"))
    return _Statement(counted, parameters, frozenset(n for n, one in enumerate(parameters) if one == moment))


def _stored(moment: datetime) -> Any:
    """A time as the column of a snooze gives it to the database."""
    return Snooze._meta.get_field("until").get_db_prep_value(moment, connection)
