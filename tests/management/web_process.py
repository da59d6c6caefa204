"""The web server in a process of its own, as `serve` starts it, on an SQLite database of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.acceptance.installation import ROOT, free_port
from tests.migrated import put_migrated_database


class Web:
    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self.port, self.environment = port, environment

    def manage(self, *arguments: str) -> str:
        """What a command prints that runs on the same data."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def open(self, sent: bytes = b"") -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), 20)
        if sent:
            made.sendall(sent)
        return made

    def answer(self, sent: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        with self.open(sent) as made:
            return read_all(made)

    def honest(self) -> float:
        """Seconds that a page takes that is wanted in one go."""
        began = time.monotonic()
        answer = self.answer(b"GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
        return time.monotonic() - began


def read_all(made: socket.socket) -> bytes:
    found = b""
    while part := made.recv(65536):
        found += part
    return found


def running(folder: Path, program: str = "") -> Iterator[Web]:
    """The server's own process; `program` changes its limits first."""
    port = free_port()
    plain = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "SECRET_KEY")}
    environment = plain | {
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "orchestrator.settings",
        "STATICFILES": "django.contrib.staticfiles.storage.StaticFilesStorage",
    }
    put_migrated_database(folder)
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "orchestrator.processes.web_server", "127.0.0.1", str(port)]
    if program:
        command[1:3] = ["-c", program]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            wait_for(lambda: listens(port))
            found = Web(port, environment)
            found.honest()
            yield found
        finally:
            process.terminate()
            assert process.wait(10) == 0, "it stops when it is asked to"


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def wait_for(true: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
