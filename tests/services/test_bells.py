"""Bells: who waits hears a commit, and nothing before it (FR-027, DC-6)."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django_q.conf import Conf
from django_q.models import OrmQ

from orchestrator.models.base.bells import Bell
from orchestrator.processes import queue_broker
from orchestrator.processes.queue_broker import OrderedBroker
from orchestrator.services.base import bells
from orchestrator.services.base.bells import Listener, listen
from orchestrator.services.workstreams.priorities import set_priority
from tests.cast import NOON, Driver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard() -> Iterator[Any]:
    made: list[Listener] = []

    def begin(bell: Bell) -> Listener:
        made.append(listen(bell))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def test_fr027_a_bell_rings_once_an_act_has_committed(driver: Driver, heard: Any) -> None:
    driver.start()
    initiator = driver.cast.actor("initiator")
    history, queue = heard(Bell.HISTORY), heard(Bell.QUEUE)
    with transaction.atomic():
        set_priority(workstream_id=driver.workstream.pk, priority=3, reason="Now.", actor=initiator, now=NOON)
        OrderedBroker(list_key=Conf.PREFIX).enqueue("one")
        assert not history.wait(0.05)
        assert not queue.wait(0.05)
    assert history.wait(10)
    assert queue.wait(10)


def test_fr027_a_bell_that_rang_before_the_wait_is_heard_and_only_once(driver: Driver, heard: Any) -> None:
    listener = heard(Bell.HISTORY)
    driver.start()
    assert listener.wait(10)
    while listener.wait(0.2):  # what the start said in several transactions
        pass
    began = time.monotonic()
    assert not listener.wait(0.1)
    assert time.monotonic() - began >= 0.1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="sockets are SQLite's")
def test_fr027_sockets_of_processes_that_are_gone_are_removed(
    settings: Any, tmp_path: Path, heard: Any
) -> None:
    settings.DATA_DIR = tmp_path / ("deep" * 40)  # longer than an address may be
    listener = heard(Bell.QUEUE)
    folder = settings.DATA_DIR / "bells"
    gone = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    descriptor = os.open(folder, os.O_RDONLY)
    gone.bind(f"/proc/self/fd/{descriptor}/queue-1-gone")
    gone.close()
    for _ in range(2000):  # more than a box holds
        bells.ring(Bell.QUEUE)
    assert listener.wait(0)
    assert not listener.wait(0)
    assert [path.name for path in folder.iterdir() if path.name.endswith("gone")] == []
    os.close(descriptor)


def test_dc6_the_queue_is_woken_by_a_message(monkeypatch: Any) -> None:
    monkeypatch.setattr(queue_broker, "LOOK_EVERY", 30.0)
    queue_broker._listener().close()  # another test may have made one
    queue_broker._listener_of.cache_clear()
    broker, taken = OrderedBroker(list_key=Conf.PREFIX), list[Any]()

    def pull() -> None:
        try:
            while not taken:
                taken.extend(broker.dequeue() or [])
        finally:
            queue_broker._listener().close()
            connection.close()

    began = time.monotonic()
    puller = threading.Thread(target=pull)
    puller.start()
    while queue_broker._listener_of.cache_info().currsize == 0:
        time.sleep(0.005)
    time.sleep(0.2)
    with transaction.atomic():
        broker.enqueue("one")
    puller.join(10)
    queue_broker._listener_of.cache_clear()
    assert [payload for _, payload in taken] == ["one"]
    assert time.monotonic() - began < 10
    assert OrmQ.objects.get().lock > queue_broker.ALWAYS
