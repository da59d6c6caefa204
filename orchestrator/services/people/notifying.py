"""Notifying: the history is read for what subscriptions ask, and each thing found is sent until it arrived.

The rows are the outbox: acts write none of it, and running any of this twice has no second effect but perhaps
a message that arrives twice, when a process was killed between sending and writing that down.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.db.models import QuerySet
from django_q.tasks import async_task

from orchestrator.adapters.webhook import NotDelivered
from orchestrator.core.actions import Action
from orchestrator.core.people.topics import SENT_TO, TOPICS, DeliveryState, Rhythm, Topic, again_at, due_at
from orchestrator.models import Delivery, HistoryEntry, NotifiedUpTo, SubscribedTopic, Subscription
from orchestrator.queries.workstreams.notices import gates_in, notices_of
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.messages import send_message
from orchestrator.services.people.subscriptions import newest

logger = logging.getLogger(__name__)

#: Entries of the history that are looked at in one go, and that one message tells of.
AT_ONCE = 500
A_MESSAGE = 50
#: How long what is being sent is left alone, and how long a message of the queue is waited for.
LEASE = timedelta(minutes=5)
PATIENCE = 60
WAITING = "orchestrator.notifications.waiting"


def is_due(now: datetime) -> bool:
    """Whether there is something to look at or to send: one statement where nobody subscribed, three else."""
    if not Subscription.objects.filter(ended_at=None).exists():
        return False
    known = NotifiedUpTo.objects.filter(pk=1).values_list("sequence", flat=True).first()
    return newest() > (known or 0) or _due(now).exists()


def notify_later() -> None:
    """Ask the queue to run `notify`; one message waits at most."""
    if cache.add(WAITING, True, PATIENCE):
        async_task("orchestrator.processes.tasks.notify")


def notify(*, now: datetime) -> int:
    """Look at what is new in the history, then send what is due; how many messages went out."""
    cache.set(WAITING, False, 0)
    while look(now=now) == AT_ONCE:
        pass
    return send_due(now=now)


def look(*, now: datetime) -> int:
    """Write a delivery for every new entry that somebody subscribed to; how many entries were looked at.

    Entries get their numbers behind one lock, so none comes in below the mark later.
    """
    with unit_of_work():
        mark, _ = NotifiedUpTo.objects.get_or_create(pk=1)
        until = newest()
        subscribed = _subscribed()
        rows = HistoryEntry.objects.filter(sequence__gt=mark.sequence, sequence__lte=until, action__in=TOPICS)
        entries = list(rows.select_related("user").order_by("sequence")[:AT_ONCE]) if subscribed else []
        found = [delivery for entry in entries for delivery in _deliveries(entry, subscribed, now)]
        Delivery.objects.bulk_create(found, ignore_conflicts=True)
        mark.sequence = entries[-1].sequence if len(entries) == AT_ONCE else until
        mark.save()
    return len(entries)


def send_due(*, now: datetime) -> int:
    """Send what is due, one message for each subscription; what fails is tried again later."""
    sent = 0
    due = _due(now).values_list("subscription", flat=True).distinct().order_by("subscription")
    for subscription_id in list(due):
        sent += _send(subscription_id, now)
    return sent


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription in force with its topics."""

    row: Subscription
    topics: frozenset[str]

    def wants(self, entry: HistoryEntry, topic: Topic) -> bool:
        """Whether it is told of the entry; nobody is told what they did themselves."""
        row = self.row
        own = entry.executor == row.executor.name if row.executor else _is_of(entry, row.person_id)
        there = row.workstream_id in (None, entry.workstream_id)
        return topic in self.topics and entry.sequence > row.since and there and not own


def _is_of(entry: HistoryEntry, person: int) -> bool:
    """Whether the person did it, and not an executor of theirs."""
    return entry.user_id == person and not entry.executor


def _subscribed() -> list[Subscriber]:
    topics: dict[int, set[str]] = defaultdict(set)
    rows = Subscription.objects.in_force().select_related("executor")
    asked = SubscribedTopic.objects.filter(subscription__ended_at=None)
    for pk, topic in asked.values_list("subscription", "topic"):
        topics[pk].add(topic)
    return [Subscriber(row, frozenset(topics[row.pk])) for row in rows]


def _deliveries(entry: HistoryEntry, subscribed: Iterable[Subscriber], now: datetime) -> list[Delivery]:
    topic = TOPICS[Action(entry.action)]
    if topic == Topic.GATE_WAITS and not gates_in(entry):
        return []
    return [_delivery(entry, topic, one.row, now) for one in subscribed if one.wants(entry, topic)]


def _delivery(entry: HistoryEntry, topic: Topic, subscription: Subscription, now: datetime) -> Delivery:
    delivery = Delivery(subscription=subscription, entry=entry, topic=topic)
    if subscription.channel in SENT_TO:
        zone = ZoneInfo(settings.PROJECT_TIME_ZONE)
        delivery.state = DeliveryState.WAITING
        delivery.due_at = due_at(Rhythm(subscription.rhythm), now, zone)
    else:
        delivery.state, delivery.due_at, delivery.sent_at = DeliveryState.SENT, now, now
    return delivery


def _due(now: datetime) -> QuerySet[Delivery]:
    live = Delivery.objects.filter(subscription__in=Subscription.objects.in_force())
    return live.filter(state=DeliveryState.WAITING, due_at__lte=now)


def _send(subscription_id: int, now: datetime) -> bool:
    """Send what of one subscription is due, unless another process has it; whether it arrived."""
    mine = _due(now).filter(subscription=subscription_id).order_by("entry__sequence")
    rows = list(mine.select_related("subscription__person", "entry__workstream")[:A_MESSAGE])
    taken = Delivery.objects.filter(pk__in=[row.pk for row in rows], due_at__lte=now)
    if not rows or taken.update(due_at=now + LEASE) < len(rows):
        return False
    try:
        send_message(rows[0].subscription, notices_of(rows), rows[0].pk, now)
    except NotDelivered as problem:
        _note_failure(rows, str(problem), now)
        return False
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=DeliveryState.SENT, sent_at=now, problem=""
    )
    return True


def _note_failure(rows: Sequence[Delivery], problem: str, now: datetime) -> None:
    for row in rows:
        row.tries += 1
        row.problem = problem[:500]
        again = again_at(row.tries, now)
        row.state = DeliveryState.WAITING if again else DeliveryState.FAILED
        row.due_at = again or now
    Delivery.objects.bulk_update(rows, ["tries", "problem", "state", "due_at"])
    if rows and rows[0].state == DeliveryState.FAILED:
        logger.warning("%s: %d notifications did not arrive: %s", rows[0].subscription, len(rows), problem)
