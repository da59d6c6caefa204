"""How the tables are emptied after a test whose transactions are real, and room is made for others.

PostgreSQL truncates by making new files for every table, a second each time. The tests' tables hold a few
rows, so those are deleted, without asking triggers or foreign keys. What tests deleted or took back still
lies there, in every reader's way: the server that runs them may have no autovacuum.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

#: Tests after which dead rows are cleared away.
OFTEN: Final = 200


class Room:
    """Makes room after as many tests as the constant says, once there is a database."""

    def __init__(self) -> None:
        self._tests = 0
        self._blocker: DjangoDbBlocker | None = None

    def there_is_a_database(self, blocker: DjangoDbBlocker) -> None:
        self._blocker = blocker

    def next_test(self) -> None:
        """Between two tests, when no transaction is open."""
        self._tests += 1
        if self._blocker is None or self._tests % OFTEN or connection.vendor != "postgresql":
            return
        with self._blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("VACUUM")


def empty_by_deleting() -> None:
    """On a PostgreSQL server on which this role may leave triggers out, from now on."""
    if connection.vendor == "postgresql" and _may_leave_triggers_out():
        operations: Any = type(connection.ops)
        operations.sql_flush = _statements


def _may_leave_triggers_out() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def _statements(_operations: Any, _style: Any, tables: Sequence[str], **_: object) -> list[str]:
    """Those of a flush, which Django runs in one transaction."""
    deletions = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]
    return ["SET LOCAL session_replication_role = replica", *deletions]
