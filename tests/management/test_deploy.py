"""What operators start it with: compose file and systemd units say what there is, and ask for its health."""

import os
import re
import shutil
import subprocess
import sys
import threading
from configparser import ConfigParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from deploy.healthy import problem_of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(path for path in DEPLOY.iterdir() if path.suffix in {".service", ".timer"})


def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


class Values(ConfigParser):
    """A unit, whose keys keep their case."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit(name: str) -> Values:
    parsed = Values(interpolation=None)
    parsed.read(DEPLOY / name)
    return parsed


def test_every_service_says_whether_it_is_well_and_waits_for_those_it_needs() -> None:
    services = compose()["services"]
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services
            assert how == {"condition": "service_healthy"}
    assert services["orchestrator"]["healthcheck"]["test"][1:] == ["python", "deploy/healthy.py"]


def test_what_the_data_stand_in_outlives_a_container() -> None:
    file = compose()
    kept = {mount.split(":")[0] for service in file["services"].values() for mount in service["volumes"]}
    assert kept == set(file["volumes"])
    environment = file["services"]["orchestrator"]["environment"]
    assert f"data:{environment['DATA_DIR']}" in file["services"]["orchestrator"]["volumes"]


def test_nobody_outside_the_machine_reaches_it_unasked() -> None:
    for service in compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_image_holds_what_it_starts() -> None:
    copied = re.findall(r"^COPY (\S+)", (DEPLOY / "Dockerfile").read_text(), re.M)
    assert all((ROOT / name).exists() for name in copied)
    assert {"manage.py", "orchestrator", "templates", "static", "deploy/healthy.py"} <= set(copied)


def test_settings_in_units_and_compose_file_are_settings_of_the_product() -> None:
    known = "".join((ROOT / "orchestrator" / name).read_text() for name in ("settings.py", "data_dir.py"))
    named = set(compose()["services"]["orchestrator"]["environment"])
    for path in UNITS:
        for _, section in unit(path.name).items():
            named |= set(re.findall(r"(\w+)=", section.get("Environment", "")))
    assert named == {name for name in named if f'"{name}"' in known} | {"DATABASE_URL"}


def test_what_units_start_is_there() -> None:
    assert len(UNITS) == 3
    for path in UNITS:
        if path.suffix == ".service":
            python, script, *words = unit(path.name)["Service"]["ExecStart"].split()
            assert python == "/opt/orchestrator/.venv/bin/python"
            assert (ROOT / script).is_file()
            assert all(word in get_commands() for word in words)
    assert "orchestrator-health.timer" in unit("orchestrator.service")["Unit"]["Wants"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """With a program and a user that there are here, so that it complains about nothing but the units."""
    for path in UNITS:
        text = path.read_text().replace("/opt/orchestrator/.venv/bin/python", "/bin/true")
        text = text.replace("/opt/orchestrator", str(tmp_path)).replace("User=orchestrator", "User=root")
        (tmp_path / path.name).write_text(text)
    names = [str(tmp_path / path.name) for path in UNITS]
    asked = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *names], capture_output=True, text=True
    )
    assert str(tmp_path) not in asked.stderr, asked.stderr


class Answers(BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/ready" else 404)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_words: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, b'{"status": "ready", "problems": {}}', ""),
        (503, b'{"problems": {"queue": "The queue is stuck."}}', "The queue is stuck."),
        (500, b"<html>", "answers 500"),
    ],
)
def test_the_health_check_says_what_is_in_the_way(status: int, body: bytes, problem: str) -> None:
    handler = type("Handler", (Answers,), {"status": status, "body": body})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        said = problem_of("127.0.0.1", server.server_address[1])
    assert said.endswith(problem) if problem else said == ""


def test_a_server_that_is_not_there_is_not_healthy() -> None:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        port = server.server_address[1]
    assert "does not answer" in problem_of("127.0.0.1", port)


def test_local_names_are_always_allowed() -> None:
    """Health checks, and agents that `serve` starts, ask this machine itself, whatever a proxy is called."""
    command = [sys.executable, "-c", "from orchestrator import settings; print(*settings.ALLOWED_HOSTS)"]
    given = {**os.environ, "ALLOWED_HOSTS": "orchestrator.example.org"}
    told = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True).stdout
    assert told.split() == ["127.0.0.1", "localhost", "[::1]", "orchestrator.example.org"]
