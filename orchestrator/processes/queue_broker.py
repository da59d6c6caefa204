"""django-q2's broker on the database, with an order and without a clock (DC-6)."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from orchestrator.models.base.bells import Bell
from orchestrator.services.base.bells import Listener, listen, ring_after_commit

#: A message may be taken from this time on. django-q2 writes the time of sending: where the clock is then set
#: back, such a message waits until it has caught up.
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)

#: Seconds after which the queue is looked at although no bell rang: a message whose worker died is due again
#: some time, and a bell may get lost.
LOOK_EVERY = 2.0


@cache
def _listener_of(_process: int) -> Listener:
    return listen(Bell.QUEUE)


def _listener() -> Listener:
    """The one of this process: a forked one hears for itself."""
    return _listener_of(os.getpid())


class OrderedBroker(ORM):  # type: ignore[misc]
    """Messages are taken in the order in which they were sent, so workstreams take turns.

    Django-q2 leaves it open.
    """

    @staticmethod
    def get_connection(list_key: str | None = None) -> "QuerySet[OrmQ]":
        messages: QuerySet[OrmQ] = ORM.get_connection(list_key).order_by("pk")
        return messages

    def dequeue(self) -> list[tuple[int, str]] | None:
        """The next messages, or none after a while without any. The bell is heard from before the look on, so
        a message that comes between is not waited for."""
        listener = _listener()
        taken = [(row.pk, row.payload) for row in self._waiting() if self._take(row)]
        if taken:
            return taken
        listener.wait(LOOK_EVERY)
        return None

    def _waiting(self) -> "QuerySet[OrmQ]":
        return self.get_connection().filter(key=self.list_key, lock__lt=timezone.now())[: Conf.BULK]

    def _take(self, row: OrmQ) -> bool:
        """False when another cluster was faster."""
        unchanged = self.get_connection().filter(pk=row.pk, lock=row.lock)
        return bool(unchanged.update(lock=self.timeout(row)))

    def enqueue(self, task: str) -> Any:
        sent = OrmQ.objects.using(Conf.ORM).create(key=self.list_key, payload=task, lock=ALWAYS)
        ring_after_commit(Bell.QUEUE)
        return sent.pk
