"""AD-6: `serve` starts the executors that `executors.toml` names, coding agents among them."""

import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from orchestrator.adapters.pool import read_pool
from orchestrator.core.errors import InvalidInput, NotFound
from orchestrator.core.terms import ExecutorKind
from orchestrator.management.accounts import ensure_pool
from orchestrator.management.commands.serve import Command as Serve
from orchestrator.models import AccessToken, Executor
from orchestrator.processes.local_executor import LocalExecutor
from orchestrator.processes.queue_watch import QueueWatch
from orchestrator.processes.supervisor import Supervisor, agent_environment, own_address, pool_commands
from tests.cast import PLAN, Driver
from tests.web.pages import signed_in, words

FILE = """
[coder]
agent = "claude"
account = "carl"
minutes = 45
repository = "sample"
env = ["ANTHROPIC_API_KEY"]

[tester]
tools = ["pytest", "ruff"]
"""


@pytest.fixture
def file(tmp_path: Path, settings: Settings) -> Path:
    settings.EXECUTORS_FILE = tmp_path / "executors.toml"
    settings.EXECUTORS_FILE.write_text(FILE)
    return Path(settings.EXECUTORS_FILE)


def test_ad6_each_table_is_an_executor_of_its_kind(driver: Driver, file: Path) -> None:
    pool = read_pool(file)
    first = ensure_pool(pool, driver.tick())
    second = ensure_pool(pool, driver.tick())
    coder, tester = Executor.objects.get(name="coder"), Executor.objects.get(name="tester")
    assert (coder.kind, coder.user, tester.kind) == ("agent", driver.cast.contributor, ExecutorKind.TOOL)
    assert list(first) == list(second) == ["coder"]
    assert AccessToken.objects.filter(executor=coder, revoked_at=None).count() == 1, "of the last start"
    commands = pool_commands(pool, Path("/logs"))
    assert commands["coder"][1:] == [
        *("-m", "orchestrator.processes.agent_worker", "work", "--agent", "claude", "--repository", "sample"),
        *("--env", "ANTHROPIC_API_KEY", "--minutes", "45.0", "--log", "/logs"),
    ]
    assert commands["tester"][2:] == ["run_executor", "--name", "tester", "--tools", "pytest,ruff"]


def test_ad6_a_worker_is_given_its_token_and_none_of_the_servers_secrets() -> None:
    whole = {"PATH": "p", "SECRET_KEY": "s", "DATABASE_URL": "d", "EMAIL_HOST_PASSWORD": "e"}
    given = agent_environment(whole, Path("/code"), own_address("0.0.0.0", 8000), "pteo_x")
    assert given == {
        "PATH": "p",
        "ORCHESTRATOR_URL": "http://127.0.0.1:8000",
        "ORCHESTRATOR_TOKEN": "pteo_x",
        "PYTHONPATH": "/code",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("code", [2, 1])
def test_ad6_an_agent_that_is_set_up_wrongly_is_told_once_and_stays_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Any other end is followed by a start."""
    said: list[str] = []
    ends = [sys.executable, "-c", f"print('claude is not installed'); raise SystemExit({code})"]
    supervisor = Supervisor(
        {"coder": ends}, tmp_path, QueueWatch(30), said.append, lambda: False, {"coder": {}}
    )
    child = supervisor.children["coder"]
    supervisor._keep(child, 1.0)
    assert child.process is not None
    child.process.wait(30)
    supervisor._keep(child, 2.0)
    supervisor._keep(child, 1e9)
    started = child.running
    supervisor.stop()
    assert started is (code == 1)
    away = (
        f"coder is set up wrongly and stays away until the next start: claude is not installed ({child.log})"
    )
    assert (said[0] == away) is (code == 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a]\nagent = 1\naccount = 'carl'", "agent of a is a text"),
        ("[a]\ntools = ['pytest']\nagent = 'claude'\naccount = 'carl'", "a needs either tools, or an agent"),
        ("[a]\nagent = 'claude'", "a needs an account"),
        ("[a]\ntools = ['pytest', 'bash']", "a has the tools bash; executors here run http, pytest"),
        ("[a]\ntools = ['human']", "a has the tools human; executors here run"),
        ("[a]\ntools = ['pytest']\nspeed = 1", "a has speed; known are account"),
        ("[a]\ntools = ['pytest']\nminutes = 0", "minutes of a is a number up to 1440"),
        ("['a b']\ntools = ['pytest']", "An executor's name has letters"),
        ("a = 1", "'a' is no table"),
        ("[a", "cannot be read"),
    ],
)
def test_ad6_what_is_wrong_with_the_file_is_said_with_its_name(
    driver: Driver, file: Path, text: str, said: str
) -> None:
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_pool(file)
    assert said in refused.value.message
    page = words(signed_in(driver.cast.approver).get("/operating/"))
    assert f"executors.toml: {said[:10]}" in page or said in page


def test_ad6_an_agent_that_nobody_described_keeps_everything_from_starting(
    driver: Driver, file: Path
) -> None:
    file.write_text('[coder]\nagent = "nope"\naccount = "carl"\n')
    with pytest.raises(
        CommandError, match=r"^executors.toml: coder: There is no agent 'nope'; there are aider"
    ):
        Serve()._pool([])


def test_ad6_an_account_that_is_not_there_is_said(driver: Driver, file: Path) -> None:
    file.write_text('[a]\nagent = "claude"\naccount = "nobody"\n')
    with pytest.raises(NotFound, match="works for the account nobody"):
        ensure_pool(read_pool(file), driver.tick())


def test_ad6_operating_shows_them(driver: Driver, file: Path) -> None:
    page = words(signed_in(driver.cast.approver).get("/operating/"))
    assert "coder agent: claude carl sample" in page
    assert "tester tools: pytest, ruff the orchestrator everything" in page


def test_ad6_an_executor_runs_only_the_tools_that_are_its_own(driver: Driver) -> None:
    driver.start(PLAN.replace(b"  - Exit: unit tests pass", b"  - Tool: ruff\n  - Exit: unit tests pass"))
    assert LocalExecutor(driver.cast.builder("t"), driver.tick, lambda: False, {"pytest"}).turn() is False
    assert driver.attempt("A1").status == "queued"
    Executor.objects.filter(name="t").update(kind=ExecutorKind.TOOL)
    call_command("run_executor", "--name", "t", "--once", "--tools", "pytest")
    assert driver.attempt("A1").status == "queued"
