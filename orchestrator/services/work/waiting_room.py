"""Waiting for work: many waiters of one process, and one thread that looks for all of them (FR-027).

A waiter asks the database when the room's bell rings, never by itself. It rings when the history has grown
and some attempt waits for an executor: whatever makes work free is recorded, and the thread is woken by that
(`services/base/bells.py`). While nobody waits, nothing looks.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import Error, connection

from orchestrator.core import limits
from orchestrator.models.base.bells import Bell
from orchestrator.queries.work.work import newest_entry, waiting_attempts
from orchestrator.services.base.bells import listen
from orchestrator.services.base.turns import Turns

logger = logging.getLogger(__name__)

#: Most seconds between two looks of the one thread that looks, should no bell ring; and the least.
LOOK_EVERY: Final = 1.0
PAUSE: Final = 0.005


class Seat:
    """A waiter's place; `rings` are counted so that none is missed between asking and waiting."""

    def __init__(self, room: "WaitingRoom") -> None:
        self._room, self._heard = room, 0

    def listen(self) -> None:
        """From now on every ring counts: called before the waiter asks the database."""
        self._heard = self._room.rings

    def wait(self, until: float) -> bool:
        """Until the bell rings, or rang since `listen`; false when `until`, in monotonic seconds, came
        first."""
        return self._room.wait_for_more_than(self._heard, until)


class WaitingRoom:
    """`newest` answers with what grows whenever something happens, `any_work` says whether waiters need
    look."""

    def __init__(
        self,
        newest: Callable[[], int],
        any_work: Callable[[], bool],
        seats: int = limits.WAITERS,
        every: float = LOOK_EVERY,
    ) -> None:
        self._newest, self._any_work, self.seats, self.every = newest, any_work, seats, every
        self._lock = threading.Lock()
        self._bell = threading.Condition(self._lock)
        self._taken, self._watched, self._closed = 0, False, False
        #: How often the bell rang, and how often the thread looked.
        self.rings = self.looks = 0

    @contextmanager
    def seat(self) -> Iterator[Seat | None]:
        """A place to wait; None when all are taken."""
        if not self._take():
            yield None
            return
        try:
            yield Seat(self)
        finally:
            with self._lock:
                self._taken -= 1

    def wait_for_more_than(self, rings: int, until: float) -> bool:
        with self._lock:
            left = max(until - time.monotonic(), 0)
            return self._bell.wait_for(lambda: self._closed or self.rings > rings, left) and not self._closed

    def close(self) -> None:
        """The process is about to stop: whoever waits is told that there is nothing, and comes again."""
        with self._lock:
            self._closed = True
            self._bell.notify_all()

    def _take(self) -> bool:
        with self._lock:
            if self._taken >= self.seats:
                return False
            self._taken += 1
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="waiting-room", daemon=True).start()
            return True

    def _watch(self) -> None:
        """Look for everybody as long as anybody waits. The bell is heard from before the first look on."""
        seen, listener = -1, listen(Bell.HISTORY)
        try:
            while self._is_wanted():
                seen = self._look(seen)
                time.sleep(PAUSE)  # what comes at once is looked at once
                listener.wait(self.every)
        finally:
            listener.close()
            connection.close()

    def _is_wanted(self) -> bool:
        """Whether anybody waits; else the thread that asks ends."""
        with self._lock:
            self._watched = self._taken > 0
            return self._watched

    def _look(self, seen: int) -> int:
        """Ring if there is something new and something to claim; what was seen."""
        self.looks += 1
        try:
            newest = self._newest()
            if newest != seen and self._any_work():
                with self._lock:
                    self.rings += 1
                    self._bell.notify_all()
        except Error as problem:
            logger.warning("Waiting for work: the database did not answer: %s", problem)
            connection.close()
            return seen
        return newest


#: Those of this process.
TURNS: Final = Turns()
ROOM: Final = WaitingRoom(newest_entry, lambda: waiting_attempts().exists())
