"""Watches the queue from outside: a message has to come through it regularly, else the cluster is stuck.

A cluster can deadlock without dying (killing one idle worker is enough), so its processes being there proves
nothing. A cluster with much to do is not stuck: the messages before the heartbeat are taken and go.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache
from django.db import Error, close_old_connections
from django.db.models import Count, Max, Q
from django_q.models import OrmQ
from django_q.tasks import async_task

from orchestrator.processes.queue_broker import ALWAYS
from orchestrator.processes.tasks import HEARTBEAT, SWEPT
from orchestrator.queries.base.sealed import entries_sealed, unsealed
from orchestrator.queries.handoff.state_files import overdue
from orchestrator.queries.plans.effect import became_due
from orchestrator.services.base import wake
from orchestrator.services.people import notifying
from orchestrator.services.work.branch_turns import go_on_later
from orchestrator.workspace.result_branches import pushed_to

#: Seconds between heartbeats, and between sweeps.
BEAT_EVERY: Final = 5.0
SWEEP_EVERY: Final = 60.0
#: Seconds after which another sweep is asked for although the one before did not say that it came to its end.
SWEEP_LOST: Final = 600.0
#: Seconds between looks for versions whose time has come and for state files that wait to be written; the
#: sweep finds what a look missed.
EFFECT_EVERY: Final = 0.5
#: Seconds between looks whether the queue moves, while a heartbeat is under way.
MOVES_EVERY: Final = 1.0
#: Seconds after which sealing is asked for again although the first message was not done.
SEAL_LOST: Final = 5.0
#: Seconds between looks whether a producer has pushed a result; files are asked, neither git nor the
#: database.
PUSHES_EVERY: Final = 0.5

#: Seconds between looks whether somebody is to be told of something.
NOTICES_EVERY: Final = 1.0

Place = tuple[int, int]


class QueueWatch:
    """`stall` is how long nothing may move while a heartbeat waits, in seconds of `clock`, which is never set
    back.

    `wall` is the time of day, in seconds since the epoch: when a version takes effect depends on it, nothing
    else.
    """

    def __init__(
        self, stall: float, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self.stall, self.clock, self.wall = stall, clock, wall
        self.beat = self.sweep = ""
        self.answered = self.came_through = False
        self.asked = self.swept = self.looked = self.checked = self.moved = clock()
        self.due_until = wall()
        self.last_before = 0
        self.listened, self.pushes = clock(), pushed_to(settings.WORKSPACE_DIR)
        self.told = clock()
        self.place: Place = (0, 0)
        self.sealing: tuple[int, float] = (-1, clock())

    def restarted(self) -> None:
        """A new cluster: ask it for a heartbeat, and for what lost messages left."""
        self.beat = self.sweep = ""

    def put_back(self) -> None:
        """Behind a cluster that was ended: what it had taken and not done is due at the next start, not only
        when its time is over. A database that is away says so then."""
        with suppress(Error):
            OrmQ.objects.filter(lock__gt=ALWAYS).update(lock=ALWAYS)

    def look(self) -> bool:
        """Ask for what is due; true when the cluster has to be restarted."""
        now = self.clock()
        self._note_sweep()
        if now - self.looked >= EFFECT_EVERY and self._wake_due():
            self.looked = now
            self._ask_for_a_seal(now)
        if now - self.listened >= PUSHES_EVERY:
            self.listened = now
            self._note_pushes()
        if now - self.told >= NOTICES_EVERY:
            self.told = now
            self._note_notices()
        if self.beat and not self._note_beat():
            return self._is_stuck(now)
        if not self.beat or now - self.asked >= BEAT_EVERY:
            self._ask_for_a_beat(now)
        if self._sweep_is_due(now):
            self._ask_for_a_sweep(now)
        return False

    def _note_pushes(self) -> None:
        """Have what producers pushed collected at once (FR-014); the sweep finds what a look missed."""
        pushes = pushed_to(settings.WORKSPACE_DIR)
        if pushes == self.pushes:
            return
        try:
            go_on_later()
        except Error:
            close_old_connections()
            return
        self.pushes = pushes

    def _note_notices(self) -> None:
        """Have people told of what they subscribed to; the next look finds what this one missed."""
        try:
            if notifying.is_due(datetime.fromtimestamp(self.wall(), UTC)):
                notifying.notify_later()
        except Error:
            close_old_connections()

    def _ask_for_a_seal(self, now: float) -> None:
        """Have sealed what is not (FR-009): one message for each checkpoint, or another one if it got
        lost."""
        try:
            sealed = entries_sealed() if unsealed() else -1
            asked, since = self.sealing
            if sealed >= 0 and (sealed != asked or now - since >= SEAL_LOST):
                async_task("orchestrator.processes.tasks.seal")
                self.sealing = sealed, now
        except Error:
            close_old_connections()

    def _ask_for_a_beat(self, now: float) -> None:
        word = uuid4().hex
        try:
            self.last_before = OrmQ.objects.aggregate(last=Max("pk"))["last"] or 0
            place = self._place()
            async_task("orchestrator.processes.tasks.heartbeat", word)
        except Error:
            close_old_connections()
            return
        self.beat, self.asked, self.moved, self.checked, self.place = word, now, now, now, place
        self.answered = False

    def _note_beat(self) -> bool:
        """Whether the heartbeat came through; noted when it is seen, because what a killed cluster had is
        done again minutes later and leaves an older word there.
        """
        self.answered = self.answered or cache.get(HEARTBEAT) == self.beat
        return self.answered

    def _note_sweep(self) -> None:
        """Noted when it is seen, for the same reason."""
        if self.sweep and not self.came_through:
            self.came_through = cache.get(SWEPT) == self.sweep

    def _sweep_is_due(self, now: float) -> bool:
        if not self.sweep:
            return True
        since = now - self.swept
        return since >= SWEEP_LOST or (since >= SWEEP_EVERY and self.came_through)

    def _ask_for_a_sweep(self, now: float) -> None:
        word = uuid4().hex
        if _enqueue("orchestrator.processes.tasks.sweep", word):
            self.sweep, self.swept, self.came_through = word, now, False

    def _is_stuck(self, now: float) -> bool:
        """Whether nothing that waits before the heartbeat was taken or done for too long."""
        if now - self.checked < MOVES_EVERY:
            return False
        self.checked = now
        try:
            place = self._place()
        except Error:
            close_old_connections()
            return False
        if place != self.place:
            self.place, self.moved = place, now
        return now - self.moved > self.stall

    def _place(self) -> Place:
        """How many messages are left before the heartbeat, and the newest of them that was taken.

        One that is taken again, because whoever had it was killed, proves nothing: a stuck cluster fills its
        hands too.
        """
        taken = Max("pk", filter=Q(lock__gt=ALWAYS))
        waiting = OrmQ.objects.filter(pk__lte=self.last_before).aggregate(number=Count("pk"), taken=taken)
        return waiting["number"], waiting["taken"] or 0

    def _wake_due(self) -> bool:
        """Advance what a version's time has come for (WF-3, FR-016) and what has state files to write (WF-7);
        false to look at the same time again.

        A clock that was set back is followed: times that come a second time are looked at a second time.
        """
        now = self.wall()
        try:
            until = datetime.fromtimestamp(now, UTC)
            due = became_due(datetime.fromtimestamp(self.due_until, UTC), until)
            for workstream_id in dict.fromkeys([*due, *overdue(until)]):
                wake.send(workstream_id)
        except Error:
            close_old_connections()
            return False
        self.due_until = now
        return True


def _enqueue(task: str, word: str) -> bool:
    """Whether the message was stored; a database that is away for a moment is asked again."""
    try:
        async_task(task, word)
    except Error:
        close_old_connections()
        return False
    return True
