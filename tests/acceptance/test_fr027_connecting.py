"""FR-027: what connects a coding agent is shown to be pasted, the same as the command writes, and the demo
has an agent that does a step."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from orchestrator.adapters.pool import read_pool
from orchestrator.client.__main__ import main
from orchestrator.client.clients import CLIENTS
from orchestrator.management import demo
from orchestrator.models import Task, Workstream
from tests.cast import Driver
from tests.machines import secret_of
from tests.web.pages import words


@pytest.mark.django_db
def test_fr027_a_page_shows_what_each_client_needs(
    driver: Driver, client: Client, settings: Settings
) -> None:
    settings.MCP_PORT = 8799
    client.force_login(driver.cast.observer)
    page = words(client.get(reverse("connecting")))
    for one in CLIENTS.values():
        assert one.file in page
        shown = " ".join(one.merged("", "http://127.0.0.1:8799/mcp").split())
        assert shown in page
    assert "orchestrator: begin" in page
    assert "is not started" not in page
    settings.MCP_PORT = 0
    assert "is not started" in words(client.get(reverse("connecting")))


@pytest.mark.django_db(transaction=True)
def test_fr027_tree_shows_stages_batches_threads_and_steps(
    driver: Driver,
    live_server: LiveServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver.start()
    driver.do("B1")
    monkeypatch.setenv("ORCHESTRATOR_URL", live_server.url)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", secret_of(driver.cast.builder("reader")))
    assert main(["tree", driver.reload().slug]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Stage 1: Build"
    assert lines[2] == "  Batch 01: foundations"
    assert lines[3] == "    01: ledger"
    assert lines[4] == "      · A1  Ledger entries for refunds  pending"
    assert "      ✓ B1  Gateway call  complete, asserted" in lines
    assert any(line.startswith("      · MP1") for line in lines)


@pytest.mark.django_db
def test_fr027_the_demo_names_the_stub_agent_once(settings: Settings, tmp_path: Path) -> None:
    settings.EXECUTORS_FILE = tmp_path / "executors.toml"
    call_command("setup_demo", stdout=StringIO())
    (stub,) = read_pool(settings.EXECUTORS_FILE)
    assert stub.command.endswith("fixtures/stub_agent.py")
    assert Workstream.objects.get(slug=stub.workstream).title == "A first step by an agent"
    assert Task.objects.filter(workstream__slug=stub.workstream, step__key="N1").exists()
    assert not demo.name_stub_agent(), "the operator's file stays"


def test_fr027_the_stub_agent_does_what_its_brief_asks(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("x")
    brief = (
        "N1  Write down\n\nTo prove:\n  12: notes name every entry\n  13: they are short\n\nHow to work:\n"
    )
    program = demo.FIXTURES / "stub_agent.py"
    ran = subprocess.run(
        [sys.executable, str(program)], input=brief, capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "PROOF 12: " in ran.stdout
    assert "PROOF 13: " in ran.stdout
    assert "README.md" in (tmp_path / "notes/from-the-agent.md").read_text()
