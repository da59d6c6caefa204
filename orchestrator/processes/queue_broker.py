"""django-q2's broker on the database, with an order and without a clock (DC-6)."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

#: A message may be taken from this time on. django-q2 writes the time of sending: where the clock is then set
#: back, such a message waits until it has caught up.
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


class OrderedBroker(ORM):  # type: ignore[misc]
    """Messages are taken in the order in which they were sent, so workstreams take turns.

    Django-q2 leaves it open.
    """

    @staticmethod
    def get_connection(list_key: str | None = None) -> "QuerySet[OrmQ]":
        messages: QuerySet[OrmQ] = ORM.get_connection(list_key).order_by("pk")
        return messages

    def enqueue(self, task: str) -> Any:
        sent = OrmQ.objects.using(Conf.ORM).create(key=self.list_key, payload=task, lock=ALWAYS)
        return sent.pk
