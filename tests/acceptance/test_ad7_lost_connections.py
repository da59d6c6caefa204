"""F10, F11: a server that stops, or a connection lost at COMMIT, is a clean 503.

The key settles what happened.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from django.db import connection

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, HistoryEntry, IdempotencyKey
from tests.acceptance.installation import free_port, wait_for
from tests.acceptance.web_process import database_address, web_process
from tests.cast import Driver
from tests.machines import secret_of
from tests.verified import first_breach

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(autouse=True)
def _on_a_server() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only a server can be cut off: name one in DATABASE_URL")


class Line:
    """The way to the server. With `cut` set it breaks at the COMMIT of an act that wrote history: `unheard`
    before the server gets it, `unanswered` when the server has done it and its answer is on the way."""

    def __init__(self) -> None:
        said = connection.settings_dict
        self.server = (said["HOST"] or "127.0.0.1", int(said["PORT"] or 5432))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.cut, self.cuts = "", 0
        self.ends = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        for caller in self._callers():
            server = socket.create_connection(self.server)
            self.ends += [caller, server]
            threading.Thread(target=self._up, args=(caller, server), daemon=True).start()
            threading.Thread(target=self._down, args=(caller, server), daemon=True).start()

    def _callers(self) -> Iterator[socket.socket]:
        try:
            while True:
                yield self.listener.accept()[0]
        except OSError:
            return

    def _up(self, caller: socket.socket, server: socket.socket) -> None:
        """Until one end has gone, whichever of them it is."""
        with suppress(OSError):
            self._hand_on(caller, server)

    def _hand_on(self, caller: socket.socket, server: socket.socket) -> None:
        acted = False
        for said in chunks(caller):
            acted = acted or b'INSERT INTO "orchestrator_historyentry"' in said
            if self.cut and acted and b"COMMIT" in said:
                cut, self.cut, self.cuts = self.cut, "", self.cuts + 1
                caller.shutdown(socket.SHUT_RDWR)
                if cut == "unanswered":
                    server.sendall(said)
                    time.sleep(0.5)
                break
            server.sendall(said)
        server.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _down(caller: socket.socket, server: socket.socket) -> None:
        for said in chunks(server):
            try:
                caller.sendall(said)
            except OSError:
                return

    def close(self) -> None:
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def chunks(end: socket.socket) -> Iterator[bytes]:
    try:
        while said := end.recv(1 << 16):
            yield said
    except OSError:
        return


@pytest.mark.parametrize(("cut", "there"), [("unheard", False), ("unanswered", True)])
def test_f11_a_connection_lost_at_commit_is_a_503_and_the_repeated_call_tells_what_happened(
    driver: Driver, tmp_path: Path, cut: str, there: bool
) -> None:
    driver.start()
    attempt = driver.attempt("A1")
    headers = {"authorization": f"Bearer {secret_of(driver.cast.builder())}", "idempotency-key": "once"}
    with closing(Line()) as line, web_process(tmp_path, database=database_address(line.port)) as address:
        claim = f"{address}/api/attempts/{attempt.pk}/claim"
        line.cut = cut
        lost = httpx.post(claim, headers=headers, timeout=60)
        assert line.cuts == 1
        assert (lost.status_code, lost.json()["code"]) == (503, "database-unavailable")
        assert "same idempotency key" in lost.json()["recovery"]
        wait_for(lambda: nobody_acts(), 20, lambda: "the server still holds the lost transaction")
        attempt.refresh_from_db()
        assert (attempt.status == AttemptStatus.RUNNING) is there
        assert IdempotencyKey.objects.filter(status=200).exists() is there
        again = httpx.post(claim, headers=headers, timeout=60)
    assert (again.status_code, again.json()["token"]) == (200, 1)
    assert Assignment.objects.get(attempt=attempt).token == 1
    assert HistoryEntry.objects.filter(action="attempt claimed").count() == 1
    assert first_breach() is None


def nobody_acts() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
            "pg_backend_pid() "
            "AND xact_start IS NOT NULL"
        )
        return cursor.fetchone()[0] == 0


class Server:
    """A PostgreSQL server of its own, with a copy of the test's database, that may be stopped.

    It does not run as root, and another user may not look into a test's folder, so its own stands elsewhere.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.port = (
            Path(tempfile.mkdtemp(prefix="server-")),
            folder / "server.log",
            free_port(),
        )
        self.who = {"user": "postgres"} if os.getuid() == 0 else {}
        if self.who:
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "-N", "-A", "trust", "-U", "postgres", "-D", self.data)
        self.start()
        name = connection.settings_dict["NAME"]
        self.run("createdb", *self.place, name)
        dump = subprocess.run(["pg_dump", "-d", database_address()], capture_output=True, check=True).stdout
        self.run("psql", *self.place, "-q", "-d", name, feed=dump)
        self.address = f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    @property
    def place(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]

    def run(self, program: str, *words: str, feed: bytes | None = None) -> None:
        with self.log.open("ab") as log:
            subprocess.run(
                [found(program), *words],
                input=feed,
                stdout=log,
                stderr=log,
                check=True,
                cwd=self.folder,
                **self.who,
            )

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self.run("pg_ctl", "-D", self.data, "-w", "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


def found(program: str) -> str:
    """Debian keeps a server's own programs out of the path."""
    places = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return shutil.which(program, path=os.pathsep.join([*places, os.environ["PATH"]])) or ""


@contextmanager
def server_of_its_own(folder: Path) -> Iterator[Server]:
    if not found("initdb"):
        pytest.skip("there are no programs of a PostgreSQL server here")
    server = Server(folder)
    try:
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):  # it may be stopped already
            server.stop()
        shutil.rmtree(server.folder)


def test_f10_a_server_stopped_at_once_is_a_503_and_the_call_is_repeated_when_it_is_back(
    driver: Driver, tmp_path: Path
) -> None:
    """The stop strikes in the middle of an act, which waits for a lock."""
    driver.start()
    attempt = driver.attempt("A1")
    headers = {"authorization": f"Bearer {secret_of(driver.cast.builder())}", "idempotency-key": "once"}
    with (
        server_of_its_own(tmp_path) as server,
        web_process(tmp_path, database=server.address) as address,
        ThreadPoolExecutor(1) as pool,
    ):
        claim = f"{address}/api/attempts/{attempt.pk}/claim"
        with closing(psycopg.connect(server.address)) as holder:
            holder.execute("LOCK TABLE orchestrator_attempt IN ACCESS EXCLUSIVE MODE")
            asked = pool.submit(httpx.post, claim, headers=headers, timeout=60)
            wait_for(lambda: waiting(holder), 30, lambda: "the call does not wait")
            server.stop()
        stopped = asked.result()
        assert (stopped.status_code, stopped.json()["code"]) == (503, "database-unavailable")
        assert httpx.post(claim, headers=headers, timeout=60).status_code == 503
        server.start()
        again = httpx.post(claim, headers=headers, timeout=60)
        assert (again.status_code, again.json()["token"]) == (200, 1)
        with psycopg.connect(server.address) as reader:
            rows = reader.execute(
                "SELECT count(*) FROM orchestrator_historyentry WHERE action = 'attempt claimed'"
            )
            assert rows.fetchone() == (1,)


def waiting(holder: psycopg.Connection) -> bool:
    found = holder.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return found is not None and found[0] > 0
