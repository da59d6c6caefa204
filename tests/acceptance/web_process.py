"""A web server in processes of its own on the test's database, as `serve` starts it: what happens to a
process, or to its way to the database, happens for real."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection

from tests.acceptance.installation import ROOT, free_port, wait_for


def database_address(port: int = 0) -> str:
    """The test's own database as an address; through another port where one is given."""
    said = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{said['NAME']}"
    who = said["USER"] + (f":{said['PASSWORD']}" if said["PASSWORD"] else "")
    return f"postgres://{who}@{said['HOST'] or '127.0.0.1'}:{port or said['PORT'] or 5432}/{said['NAME']}"


@contextmanager
def web_process(
    folder: Path, *, application: str = "orchestrator.wsgi", database: str = "", **environment: str
) -> Iterator[str]:
    """Its address. The process is started again when it dies, as the supervisor does it."""
    log, port, ended = folder / "web.log", free_port(), threading.Event()
    served = f"from {application} import application; from orchestrator.processes.web_server import serve"
    command = [sys.executable, "-c", f"{served}; serve(application, '127.0.0.1', {port})"]
    said = {
        "DATABASE_URL": database or database_address(),
        "DATA_DIR": str(settings.DATA_DIR),
        "TESTS_WORKSPACE_DIR": str(settings.WORKSPACE_DIR),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    processes: list[subprocess.Popen[bytes]] = []

    def keep_running() -> None:
        while not ended.is_set():
            with log.open("a") as out:
                process = subprocess.Popen(
                    command, cwd=ROOT, env={**os.environ, **said, **environment}, stdout=out, stderr=out
                )
            processes.append(process)
            process.wait()

    keeper = threading.Thread(target=keep_running)
    keeper.start()
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"), 60, log.read_text)
        yield f"http://127.0.0.1:{port}"
    finally:
        ended.set()
        for process in processes:
            process.terminate()
        keeper.join(30)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/login/", timeout=10).status_code < 500
    except httpx.HTTPError:
        return False
