"""The queue is watched from outside: a cluster that is there but stuck is found out."""

import pytest
from django.core.cache import cache
from django_q.models import OrmQ

from orchestrator.management.queue_watch import BEAT_EVERY, SWEEP_EVERY, QueueWatch
from orchestrator.tasks import HEARTBEAT


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(db):
    cache.delete(HEARTBEAT)
    return Clock()


def asked() -> list[str]:
    return [message.func() for message in OrmQ.objects.order_by("id")]


def test_a_new_cluster_is_asked_for_a_heartbeat_and_a_sweep(clock):
    assert not QueueWatch(clock, stall=30).look()
    assert asked() == ["orchestrator.tasks.heartbeat", "orchestrator.tasks.sweep"]


def test_an_unanswered_heartbeat_is_not_asked_for_again(clock):
    watch = QueueWatch(clock, stall=30)
    watch.look()
    clock.now += BEAT_EVERY + 1
    assert not watch.look()
    assert len(asked()) == 2


def test_a_stuck_queue_is_reported_after_the_stall_time_only(clock):
    watch = QueueWatch(clock, stall=30)
    watch.look()
    clock.now += 29
    assert not watch.look()
    clock.now += 2
    assert watch.look()


def test_an_answer_keeps_it_going_and_sweeps_come_round(clock):
    watch = QueueWatch(clock, stall=30)
    watch.look()
    for _ in range(int(SWEEP_EVERY // BEAT_EVERY) + 1):
        cache.set(HEARTBEAT, clock.now)
        clock.now += BEAT_EVERY
        assert not watch.look()
    assert asked().count("orchestrator.tasks.sweep") == 2


def test_a_restarted_cluster_is_asked_anew(clock):
    watch = QueueWatch(clock, stall=30)
    watch.look()
    watch.restarted()
    watch.look()
    assert asked().count("orchestrator.tasks.sweep") == 2
