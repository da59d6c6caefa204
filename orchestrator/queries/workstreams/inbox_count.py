"""The number beside the inbox, which every page shows (FR-002).

The list is a statement over a dozen sources, and Django takes longer to make it than the database to answer
it. So it is made once for a person with their roles and kept; only the time, which tells what is put off
until later, is given anew.
"""

from datetime import datetime
from functools import lru_cache

from django.core.exceptions import EmptyResultSet

from orchestrator.queries.base.kept import THEN, TimedStatement
from orchestrator.queries.workstreams.inbox import InboxOwner, everything_in, inbox_for


def count_waiting(owner: InboxOwner, now: datetime, most: int) -> int:
    """How many entries the inbox has that are not put off, or `most` where there are more: so the time that
    it takes does not grow with the list."""
    statement = _statement(owner)
    return int(statement.rows(now, most)[0][0]) if statement else 0


@lru_cache(500)
def _statement(owner: InboxOwner) -> TimedStatement | None:
    rows = everything_in(inbox_for(owner, THEN))
    if rows is None:
        return None
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # Django sees by itself that there is nothing
        return None
    return TimedStatement(" ".join(("SELECT COUNT(*) FROM (", sql, "LIMIT %s) waiting")), parameters)
