"""FR-009, FR-026: stopping loses nothing. Whoever has sent a request is answered, messages are put back, and
the service manager is told what happens."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from orchestrator.core import limits
from orchestrator.processes.queue_watch import QueueWatch
from orchestrator.processes.service_manager import ServiceManager, from_environment
from orchestrator.processes.supervisor import QUEUE, WEB, Supervisor
from orchestrator.processes.web_server import listening
from orchestrator.services.work.waiting_room import WaitingRoom
from tests.acceptance.installation import free_port, wait_for
from tests.management.web_process import read_all

#: How long a request of these tests is worked on, in seconds.
WORK = 0.4
ASKED = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"


class Slow:
    """An application that counts what it has begun, and answers with what it was sent."""

    def __init__(self) -> None:
        self.begun = 0

    def __call__(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.begun += 1
        sent = request["wsgi.input"].read()
        time.sleep(WORK)
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(sent)))])
        return [sent]


class Running:
    def __init__(self, application: Slow) -> None:
        self.application, self.server = application, listening(application, "127.0.0.1", free_port())
        self.thread = threading.Thread(target=self.server.run)
        self.opened: list[socket.socket] = []
        self.thread.start()

    def open(self, sent: bytes) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.server.effective_port), 5)
        self.opened.append(made)
        made.sendall(sent)
        return made

    def stopped_after(self) -> float:
        began = time.monotonic()
        if not self.server.stopping:
            self.server.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()
        return time.monotonic() - began


@pytest.fixture
def running() -> Iterator[Running]:
    found = Running(Slow())
    yield found
    found.stopped_after()
    found.server.asyncore.close_all(found.server._map)
    for one in found.opened:
        one.close()


def test_fr026_requests_under_way_are_answered_before_the_web_server_stops(running: Running) -> None:
    many = 3 * 8
    clients = [running.open(ASKED) for _ in range(many)]
    idle = running.open(b"")
    wait_for(lambda: running.application.begun >= 4, 5, str)
    half = running.open(ASKED[:-2])
    threading.Timer(0.2, half.sendall, [ASKED[-2:]]).start()
    time.sleep(0.05)
    took = running.stopped_after()
    answers = [read_all(one) for one in [*clients, half]]
    assert [one for one in answers if not one.endswith(b"\r\n\r\nbody")] == []
    assert running.application.begun == many + 1
    assert read_all(idle) == b"", "a connection that waits for nothing is closed"
    assert took < limits.STOP_SECONDS
    with pytest.raises(OSError, match="refused"):
        running.open(ASKED)


def test_fr026_a_client_that_never_ends_its_request_holds_up_no_stop(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STOP_SECONDS", 0.5)
    running.open(ASKED[:-2])
    time.sleep(0.1)
    assert running.stopped_after() < 2


def test_fr027_whoever_waits_for_work_is_told_when_the_process_stops() -> None:
    room = WaitingRoom(lambda: 0, lambda: False)
    began = time.monotonic()
    with room.seat() as seat:
        assert seat is not None
        seat.listen()
        threading.Timer(0.1, room.close).start()
        assert not seat.wait(began + 30)
    assert time.monotonic() - began < 5


@pytest.mark.django_db
def test_f13_what_an_ended_cluster_had_taken_is_due_at_once() -> None:
    async_task("orchestrator.processes.tasks.heartbeat", "word")
    assert len(get_broker().dequeue()) == 1
    assert not get_broker().dequeue(), "it is taken, and due again minutes later"
    QueueWatch(30).put_back()
    assert len(get_broker().dequeue()) == 1
    assert OrmQ.objects.count() == 1


class Manager:
    """The service manager's side: what it was told, at a file or at a name of the kernel's."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.socket.setblocking(False)

    def told(self) -> list[str]:
        found = []
        try:
            while True:
                found.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return found


@pytest.fixture(params=["file", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "file" else f"@orchestrator-test-{os.getpid()}"


def test_fr026_the_service_manager_is_told_and_gets_its_sign_of_life(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = Manager(address)
    for name, value in {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "10000000"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    here = from_environment()
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(os.environ), (
        "children speak for nobody"
    )
    here.tell("READY=1", "Open it")
    for moment in (0.0, 1.0, 4.9, 5.0, 5.1, 10.0):
        here.alive(moment)
    assert manager.told() == ["READY=1\nSTATUS=Open it", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]
    manager.socket.close()
    here.tell("STOPPING=1")  # nobody listens any more


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": "/nowhere"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"},
    ],
)
def test_fr026_where_no_service_manager_listens_nothing_is_told(environment: dict[str, str]) -> None:
    nobody = ServiceManager(environment, 2)
    nobody.tell("READY=1")
    nobody.alive(0)


#: Listens a moment after its start, until it is asked to stop.
LATE_WEB = """
import signal, socket, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(0.5)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as made:
    while True:
        made.accept()[0].close()
"""


@pytest.mark.django_db
def test_fr026_the_supervisor_says_when_it_is_ready_lives_and_stops(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    port, told = free_port(), []
    until = time.monotonic() + 20

    def stopping() -> bool:
        told.extend(manager.told())
        return told.count("WATCHDOG=1") > 1 or time.monotonic() > until

    Supervisor(
        {
            WEB: [sys.executable, "-c", LATE_WEB, str(port)],
            QUEUE: [sys.executable, "-c", "import time; time.sleep(60)"],
        },
        tmp_path,
        QueueWatch(30),
        lambda _line: None,
        stopping,
        manager=ServiceManager(environment, os.getpid()),
    ).run(("127.0.0.1", port))
    told.extend(manager.told())
    manager.socket.close()
    assert told[0] == f"READY=1\nSTATUS=Open http://127.0.0.1:{port}/"
    assert set(told[1:-1]) == {"WATCHDOG=1"}
    assert told[-1] == "STOPPING=1"
