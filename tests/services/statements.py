"""Counts what an act asks of the database."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

#: What begins, parts and ends a transaction follows from how many there are, not from what an act reads and
#: writes. On PostgreSQL the lock of the history's sequence comes with `SET CONSTRAINTS`; SQLite's is in its
#: `BEGIN IMMEDIATE`.
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET CONSTRAINTS", "PRAGMA")


class Statements(list[str]):
    """The statements of a block in their order, without their parameters; as text one a line."""

    def __str__(self) -> str:
        lines = (f"{place:3} {sql[:200]}" for place, sql in enumerate(self, start=1))
        return "\n".join([f"{len(self)} statements:", *lines])


@contextmanager
def statements() -> Iterator[Statements]:
    """Collects what this thread sends to the database within the block, but for transaction control."""
    seen = Statements()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        words = " ".join(sql.split())
        if not words.upper().startswith(CONTROL):
            seen.append(words)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen


#: How many of SQLite's own instructions are counted as one.
INSTRUCTIONS = 10


@contextmanager
def instructions() -> Iterator[Counter[str]]:
    """Counts by statement what SQLite does within the block, in tens of its own instructions: that a
    statement walks a whole table shows there on every machine. Nothing is counted on PostgreSQL.
    """
    done: Counter[str] = Counter()
    current = [""]

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        current[0] = " ".join(sql.split())
        return execute(sql, params, many, context)

    def count() -> None:
        done[current[0]] += 1

    connection.ensure_connection()
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(count, INSTRUCTIONS)
    try:
        with connection.execute_wrapper(watch):
            yield done
    finally:
        if connection.vendor == "sqlite":
            connection.connection.set_progress_handler(None, 0)
