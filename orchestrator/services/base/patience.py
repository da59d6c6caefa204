"""Writes that nobody waits for: done at once, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

#: How each database is asked how long a statement waits for a lock, and told.
_ASK = {"sqlite": "PRAGMA busy_timeout", "postgresql": "SHOW lock_timeout"}
_SET = {"sqlite": "PRAGMA busy_timeout = {}", "postgresql": "SET lock_timeout = '{}'"}
#: Zero means at once to SQLite, and for ever to PostgreSQL.
_AT_ONCE = {"sqlite": "0", "postgresql": "1ms"}


@contextmanager
def without_waiting() -> Iterator[None]:
    """A single statement that gives up where somebody else holds what it writes: it raises one of
    `outages.OUTAGES` at once instead of waiting for the lock, as acts do. Outside of transactions.
    """
    vendor = connection.vendor
    with connection.cursor() as cursor:
        cursor.execute(_ASK[vendor])
        usual = cursor.fetchone()[0]
        cursor.execute(_SET[vendor].format(_AT_ONCE[vendor]))
        try:
            yield
        finally:
            cursor.execute(_SET[vendor].format(usual))
