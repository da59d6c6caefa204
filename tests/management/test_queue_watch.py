"""The queue is watched from outside: a cluster that is there but stuck is found out, a busy one is left
alone.
"""

import random
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from orchestrator.models import Workstream
from orchestrator.processes import tasks
from orchestrator.processes.queue_watch import BEAT_EVERY, SWEEP_EVERY, SWEEP_LOST, QueueWatch
from orchestrator.processes.tasks import HEARTBEAT, SWEPT
from orchestrator.services.handoff import baseline

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
COMMIT = "a" * 40


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(db):
    cache.delete_many([HEARTBEAT, SWEPT])
    return Clock()


def watch(clock: Clock, wall: Clock | None = None) -> QueueWatch:
    return QueueWatch(30, clock, wall or Clock())


def asked() -> list[str]:
    return [message.func() for message in OrmQ.objects.order_by("id")]


def answer() -> None:
    """What a cluster does with the messages about itself; the work is of no matter here."""
    for message in OrmQ.objects.order_by("id"):
        if message.func() == "orchestrator.processes.tasks.heartbeat":
            tasks.heartbeat(*message.args())
        if message.func() == "orchestrator.processes.tasks.sweep":
            tasks.sweep(*message.args())
        message.delete()


def test_a_new_cluster_is_asked_for_a_heartbeat_and_a_sweep(clock):
    assert not watch(clock).look()
    assert asked() == ["orchestrator.processes.tasks.heartbeat", "orchestrator.processes.tasks.sweep"]


def test_an_unanswered_heartbeat_is_not_asked_for_again(clock):
    queue = watch(clock)
    queue.look()
    clock.now += BEAT_EVERY + 1
    assert not queue.look()
    assert len(asked()) == 2


def test_a_stuck_queue_is_reported_after_the_stall_time_only(clock):
    queue = watch(clock)
    queue.look()
    clock.now += 29
    assert not queue.look()
    clock.now += 2
    assert queue.look()


def test_the_answer_to_an_earlier_heartbeat_is_none_to_this_one(clock):
    queue = watch(clock)
    queue.look()
    tasks.heartbeat("of yesterday")
    clock.now += 31
    assert queue.look()


def test_an_earlier_heartbeat_that_is_done_again_does_not_undo_this_one(clock):
    """A message that a killed cluster had is taken again after three minutes."""
    queue = watch(clock)
    queue.look()
    answer()
    assert not queue.look()
    tasks.heartbeat("of a killed cluster")
    clock.now += BEAT_EVERY + 1
    assert not queue.look()
    assert asked() == ["orchestrator.processes.tasks.heartbeat"]  # the next one
    answer()
    clock.now += 31
    assert not queue.look()


def test_a_busy_queue_is_not_stuck_however_long_the_heartbeat_waits(clock):
    """The messages before it are taken and done one after another."""
    for number in range(10):
        get_broker().enqueue(f"work {number}")
    queue = watch(clock)
    queue.look()
    for _ in range(10):
        OrmQ.objects.earliest("pk").delete()
        clock.now += 25
        assert not queue.look()
    clock.now += 31
    assert queue.look()


def test_what_comes_behind_the_heartbeat_does_not_hide_that_nothing_moves(clock):
    queue = watch(clock)
    queue.look()
    for _ in range(40):
        get_broker().enqueue("more work")
        clock.now += 1
        stuck = queue.look()
    assert stuck


def test_what_a_killed_worker_had_does_not_hide_that_nothing_moves_when_it_is_taken_again(clock):
    """A cluster that is stuck still takes messages into its hands until these are full."""
    for number in range(2):
        async_task("orchestrator.processes.tasks.advance", number)
    with time_machine.travel(NOON, tick=False):
        broker = get_broker()
        broker.dequeue()
        broker.dequeue()
    queue = watch(clock)
    queue.look()
    for minutes in (4, 8):
        clock.now += 14
        with time_machine.travel(NOON + timedelta(minutes=minutes), tick=False):
            assert broker.dequeue(), "its time was over"
            assert not queue.look()
    clock.now += 5
    assert queue.look()


def test_an_answer_keeps_it_going_and_sweeps_come_round(clock):
    queue = watch(clock)
    queue.look()
    sweeps = 0
    for _ in range(int(2 * SWEEP_EVERY // BEAT_EVERY) + 2):
        sweeps += asked().count("orchestrator.processes.tasks.sweep")
        answer()
        clock.now += BEAT_EVERY
        assert not queue.look()
    assert sweeps == 3


def test_what_is_remembered_of_many_workstreams_does_not_hide_that_the_queue_is_alive(clock):
    """A full cache throws out entries at random: the answer must not be among them."""
    queue = watch(clock)
    queue.look()
    answer()
    random.seed(0)
    for _ in range(700):
        workstream = Workstream()
        workstream.last = COMMIT
        baseline._is_news(workstream, COMMIT)
    clock.now += 31
    assert not queue.look()


def test_a_sweep_under_way_is_not_asked_for_again_until_it_counts_as_lost(clock):
    queue = watch(clock)
    queue.look()
    OrmQ.objects.all().delete()
    tasks.heartbeat(queue.beat)
    clock.now += SWEEP_LOST - 1
    queue.look()
    assert "orchestrator.processes.tasks.sweep" not in asked()
    tasks.heartbeat(queue.beat)
    clock.now += 2
    queue.look()
    assert "orchestrator.processes.tasks.sweep" in asked()


def test_a_sweep_that_a_killed_cluster_left_does_not_hide_that_the_newest_is_done(clock):
    """It is taken again behind the newest one, and ends last."""
    queue = watch(clock)
    queue.look()
    left = OrmQ.objects.latest("id").args()
    queue.restarted()
    queue.look()
    answer()
    queue.look()
    tasks.sweep(*left)
    clock.now += SWEEP_EVERY
    queue.look()
    assert "orchestrator.processes.tasks.sweep" in asked()


def test_a_restarted_cluster_is_asked_anew(clock):
    queue = watch(clock)
    queue.look()
    queue.restarted()
    queue.look()
    assert asked().count("orchestrator.processes.tasks.sweep") == 2


@pytest.mark.parametrize("hours", [-1, 1])
def test_f25_a_clock_that_is_set_neither_stops_sweeps_nor_restarts_a_healthy_queue(clock, hours):
    wall = Clock()
    queue = watch(clock, wall)
    queue.look()
    answer()
    wall.now += hours * 3600
    sweeps = 0
    for _ in range(int(SWEEP_EVERY // BEAT_EVERY) + 1):
        clock.now += BEAT_EVERY
        wall.now += BEAT_EVERY
        assert not queue.look()
        sweeps += asked().count("orchestrator.processes.tasks.sweep")
        answer()
    assert sweeps == 1


def test_f25_a_message_sent_before_the_clock_was_set_back_is_taken_at_once(db):
    with time_machine.travel(NOON, tick=False):
        get_broker().enqueue("sent at noon")
    with time_machine.travel(NOON.replace(hour=11), tick=False):
        assert [payload for _, payload in get_broker().dequeue()] == ["sent at noon"]


def test_messages_are_taken_in_the_order_in_which_they_were_sent(db):
    broker = get_broker()
    for number in range(5):
        broker.enqueue(f"message {number}")
    OrmQ.objects.filter(payload="message 0").update(key=broker.list_key)
    taken = [payload for _ in range(5) for _, payload in broker.dequeue()]
    assert taken == [f"message {number}" for number in range(5)]
