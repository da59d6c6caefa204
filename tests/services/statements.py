"""Counts what an act asks of the database: every statement but those that begin and end transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

#: Transaction control: it follows from the number of transactions, not from what an act reads and writes.
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET CONSTRAINTS")


class Statements(list[str]):
    """The statements of a block in their order, with parameters left out."""

    def __str__(self) -> str:
        return "\n".join(f"{place:3} {sql[:230]}" for place, sql in enumerate(self, start=1))


@contextmanager
def statements() -> Iterator[Statements]:
    """Collects what this thread sends to the database within the block."""
    seen = Statements()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(CONTROL):
            seen.append(" ".join(sql.split()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen
