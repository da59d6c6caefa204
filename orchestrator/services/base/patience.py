"""Writes that nobody waits for: done at once, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def without_waiting() -> Iterator[None]:
    """A transaction that gives up where another one holds what it writes.

    It raises one of `outages.OUTAGES` at once instead of waiting for the lock, as acts do.
    """
    if connection.vendor == "sqlite":
        with _sqlite_gives_up(), transaction.atomic():
            yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        usual = cursor.fetchone()[0]
        cursor.execute("SET LOCAL lock_timeout = '1ms'")
        yield
        # The transaction may be a part of a larger one.
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [usual])


@contextmanager
def _sqlite_gives_up() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        usual = cursor.fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(usual)}")
