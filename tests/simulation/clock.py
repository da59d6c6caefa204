"""Simulated time: what happens when, in one process and in an order that the seed decides."""

import heapq
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import time_machine

#: What somebody does over time: it yields how many minutes it waits, and goes on then.
Life = Generator[float, Any, None]


class Clock:
    """Events by their time; those of one moment in an order that the seed shuffles."""

    def __init__(self, start: datetime, random: Random) -> None:
        self.now, self.random, self.numbers = start, random, count()
        self.events: list[tuple[datetime, float, int, Callable[[], None]]] = []

    def after(self, minutes: float, event: Callable[[], None]) -> None:
        at = self.now + timedelta(minutes=minutes)
        heapq.heappush(self.events, (at, self.random.random(), next(self.numbers), event))

    def live(self, life: Life, first: float = 0) -> None:
        """Let somebody live: each wait is an event."""
        self.after(first, lambda: self._on(life))

    def run(self, until: datetime, look: Callable[[], bool]) -> bool:
        """Event by event until that time, or until `look`, which is asked after each, answers True; whether
        it did."""
        with time_machine.travel(self.now, tick=False) as traveller:
            while self.events and self.events[0][0] <= until:
                self.now, _, _, event = heapq.heappop(self.events)
                traveller.move_to(self.now)
                event()
                if look():
                    return True
        return False

    def _on(self, life: Life) -> None:
        wait = next(life, None)
        if wait is not None:
            self.after(wait, lambda: self._on(life))
