"""Threads of one process take turns in the order of their coming (FR-028).

SQLite lets one transaction write at a time and has the others ask again and again, less and less often:
some get in at once, others late or never, and all of them lose time. So the threads of a process ask it one
after another. What it does between processes stays as it is.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

#: Seconds after which a writer asks the database without its turn: that tells what is the matter.
PATIENCE: Final = 20.0


class Turns:
    """One after another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, most: float | None = None) -> Iterator[None]:
        """Wait for the turn, for `most` seconds where that is given, and have it until the end."""
        mine = threading.Event()
        with self._lock:
            self._waiting.append(mine)
            self._call_first()
        mine.wait(most)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.remove(mine)
                self._call_first()

    def _call_first(self) -> None:
        if self._waiting:
            self._waiting[0].set()


_WRITERS: Final = Turns()


@contextmanager
def transaction_of_writer() -> Iterator[None]:
    """A transaction that is going to write, in its turn; within another one it is a part of that."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with _WRITERS.turn(PATIENCE), transaction.atomic():
        yield
