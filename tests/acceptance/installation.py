"""A whole installation of its own: `manage.py serve --demo` on a free port, and the people who
work with it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import psycopg.sql

from tests.migrated import put_migrated_database

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = "quotes-in-four-currencies"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Database:
    """SQLite in the data folder, or a database of its own on the server that DATABASE_URL names."""

    def __init__(self, name: str) -> None:
        url = os.environ.get("DATABASE_URL", "")
        self.server = url.rpartition("/")[0] if url.startswith("postgres") else ""
        self.name = name
        self.environment = {"DATABASE_URL": f"{self.server}/{name}"} if self.server else {}

    def make(self) -> None:
        self._run("CREATE DATABASE {}")

    def drop(self) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        if self.server:
            with psycopg.connect(f"{self.server}/postgres", autocommit=True) as connection:
                connection.execute(psycopg.sql.SQL(statement).format(psycopg.sql.Identifier(self.name)))


class Installation:
    """Started with `with`; stopped with SIGTERM at the end, when nothing of it may be left."""

    def __init__(self, folder: Path, executors: int = 3, *, demo: bool = True, **environment: str) -> None:
        self.folder, self.port, self.executors, self.demo = folder, free_port(), executors, demo
        self.server: subprocess.Popen[str] | None = None
        self.groups: set[int] = set()
        plain = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "SECRET_KEY")}
        self.database = Database(f"installation_{os.getpid()}_{self.port}")
        self.environment = plain | {
            **self.database.environment,
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "orchestrator.settings",
            "DEMO_PASSWORD": "for the test only",
            "STATICFILES": "django.contrib.staticfiles.storage.StaticFilesStorage",
            **environment,
        }

    def __enter__(self) -> "Installation":
        self.database.make()
        try:
            self.start()
        except BaseException:  # one that did not come up must not stay beside the next ones
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.database.drop()

    def start(self) -> None:
        command = [sys.executable, "manage.py", "serve", *(["--demo"] if self.demo else [])]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--executors", str(self.executors)]
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.database.server:
            put_migrated_database(self.folder)
        with (self.folder / "serve.log").open("a") as log:
            self.server = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, text=True
            )
        wait_for(lambda: all(self.pid(name) for name in self.names()), 180, self.said)

    def stop(self) -> int:
        """How it ended."""
        if self.server is None:
            return 0
        self.names_to_groups()
        self.server.send_signal(signal.SIGTERM)
        code = self.server.wait(30)
        self.server = None
        return code

    def names(self) -> list[str]:
        agents = ["mcp"] if self.environment.get("MCP_PORT") else []
        return ["web", "queue", *agents, *(f"builder-{number}" for number in range(1, self.executors + 1))]

    def names_to_groups(self) -> None:
        self.groups |= {pid for name in self.names() if (pid := self.pid(name))}

    def pid(self, name: str) -> int:
        """The process, and process group, of a supervised part; 0 when it is not running now."""
        try:
            return int((self.folder / "run" / f"{name}.pid").read_text() or 0)
        except FileNotFoundError:
            return 0

    def kill(self, name: str) -> int:
        """SIGKILL to the whole group, as the kernel's out-of-memory killer or an operator would do it."""
        if pid := self.pid(name):
            self.groups.add(pid)
            os.killpg(pid, signal.SIGKILL)
        return pid

    def said(self) -> str:
        logs = [self.folder / "serve.log", *sorted((self.folder / "logs").glob("*.log"))]
        return "\n".join(f"== {log.name}\n{log.read_text()[-2000:]}" for log in logs if log.exists())

    def said_at_start(self) -> str:
        """What the supervisor has told the operator so far."""
        return (self.folder / "serve.log").read_text()

    def people(self, seconds: float = 150) -> Iterator[str]:
        """Lines of what the people do, until the workstream is accepted.

        The last one is the result as JSON.
        """
        command = [sys.executable, "-m", "tests.acceptance.people", DEMO, str(seconds)]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield line.strip()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )


def wait_for(true: Callable[[], object], seconds: float, said: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, said()
        time.sleep(0.05)


def group_is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def result_of(lines: list[str]) -> dict[str, Any]:
    assert lines, "the people said nothing"
    assert lines[-1].startswith("{"), lines[-5:]
    found: dict[str, Any] = json.loads(lines[-1])
    return found
