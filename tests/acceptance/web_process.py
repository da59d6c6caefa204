"""A web server in processes of its own on the test's database, as `serve` starts it: what happens to a process, or to
its way to the database, happens for real."""

import os
import subprocess
import sys
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
    """Its address. One worker, which is started again when it dies."""
    log = folder / "web.log"
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", f"{application}:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", "1", "--threads", "4", "--no-control-socket"]
    said = {
        "DATABASE_URL": database or database_address(),
        "DATA_DIR": str(settings.DATA_DIR),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **said, **environment}, stdout=out, stderr=out)
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"), 60, log.read_text)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/login/", timeout=10).status_code < 500
    except httpx.HTTPError:
        return False
