"""Watches the queue from outside: a message has to come through it regularly, else the cluster is stuck.

A cluster can deadlock without dying (killing one idle worker is enough), so its processes being there proves nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from django.core.cache import cache
from django.db import Error, close_old_connections
from django_q.tasks import async_task

from orchestrator.queries.effect import became_due
from orchestrator.tasks import HEARTBEAT

#: Seconds between heartbeats, and between sweeps.
BEAT_EVERY: Final = 5.0
SWEEP_EVERY: Final = 60.0
#: Seconds between looks for versions whose time has come; the sweep finds what a look missed.
EFFECT_EVERY: Final = 0.5


class QueueWatch:
    """`clock` is seconds since the epoch; `stall` is how long an asked heartbeat may take."""

    def __init__(self, clock: Callable[[], float], stall: float) -> None:
        self.clock, self.stall = clock, stall
        self.asked = 0.0
        self.swept = 0.0
        self.due_until = clock()

    def restarted(self) -> None:
        """A new cluster: ask it for a heartbeat, and for what lost messages left."""
        self.asked = self.swept = 0.0

    def look(self) -> bool:
        """Ask for what is due; true when the cluster has to be restarted."""
        now = self.clock()
        if now - self.due_until >= EFFECT_EVERY and self._wake_due(now):
            self.due_until = now
        answered = self.asked == 0.0 or (cache.get(HEARTBEAT) or 0.0) >= self.asked
        if not answered:
            return now - self.asked > self.stall
        if now - self.asked >= BEAT_EVERY and self._enqueue("orchestrator.tasks.heartbeat"):
            self.asked = now
        if now - self.swept >= SWEEP_EVERY and self._enqueue("orchestrator.tasks.sweep"):
            self.swept = now
        return False

    def _wake_due(self, now: float) -> bool:
        """Advance what a version's time has come for (WF-3, FR-016); false to look at the same time again."""
        try:
            due = became_due(datetime.fromtimestamp(self.due_until, UTC), datetime.fromtimestamp(now, UTC))
        except Error:
            close_old_connections()
            return False
        stored = [self._enqueue("orchestrator.tasks.advance", one) for one in due]
        return all(stored)

    @staticmethod
    def _enqueue(task: str, *ids: int) -> bool:
        """Whether the message was stored; a database that is away for a moment is asked again."""
        try:
            async_task(task, *ids)
        except Error:
            close_old_connections()
            return False
        return True
