"""BX-1, WF-4: where an attempt works is told in the history and in every list where somebody looks for it."""

import csv
import json

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from orchestrator.client.__main__ import main
from orchestrator.models import HistoryEntry
from tests.acceptance.lanes import LANES, Agent, command, make_repository, working
from tests.cast import Driver
from tests.machines import secret_of
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(driver: Driver, settings: Settings) -> Agent:
    make_repository(settings.REPOSITORIES_DIR / "sample")
    driver.start(LANES)
    return working(driver, "A1")


def base_of(driver: Driver, settings: Settings) -> str:
    return command(settings.REPOSITORIES_DIR / "sample", "rev-parse", "main")


def test_bx1_the_history_says_where_an_attempt_worked(
    agent: Agent, driver: Driver, settings: Settings
) -> None:
    agent.write("prices/model.py", "x = 1\n")
    assert agent.complete(agent.commit())[0] == 200
    base, slug = base_of(driver, settings), driver.reload().slug
    wanted = {"worktree": ".worktrees/WS-A", "branch": f"ws/{slug}/WS-A", "base": base}
    for action in ("attempt claimed", "attempt completed"):
        data = json.loads(HistoryEntry.objects.get(action=action).leaf)["data"]
        assert {name: data[name] for name in wanted} == wanted, action
    told = f".worktrees/WS-A, branch ws/{slug}/WS-A, from {base[:12]}"
    reader = signed_in(driver.cast.observer)
    assert words(reader.get(f"/workstreams/{driver.reload().uuid}/history/")).count(told) == 2
    rows = csv.DictReader(reader.get("/history/?format=csv").getvalue().decode().splitlines())
    assert [row["place"] for row in rows if row["what"] == "attempt completed"] == [told]


def test_bx1_a_failed_and_a_given_back_attempt_say_it_too(agent: Agent, driver: Driver) -> None:
    assert agent.call("release", breadcrumb="Half.")[0] == 200
    driver.advance()
    again = working(driver, "A1")
    assert again.call("fail", error="It broke.")[0] == 200
    for action in ("attempt given back", "attempt failed"):
        data = json.loads(HistoryEntry.objects.get(action=action).leaf)["data"]
        assert data["branch"].endswith("/WS-A"), action


def test_bx1_lists_say_where_it_works(agent: Agent, driver: Driver, settings: Settings) -> None:
    base, slug = base_of(driver, settings), driver.reload().slug
    (mine,) = agent.machine.get("/api/mine")[1]["items"]
    assert (mine["worktree"], mine["branch"], mine["base"]) == (".worktrees/WS-A", f"ws/{slug}/WS-A", base)
    assert mine["path"] == str(agent.folder)
    tasks = agent.machine.get(f"/api/workstreams/{driver.reload().uuid}/")[1]["tasks"]
    live = next(one["attempt"] for one in tasks if one["key"] == "A1")
    assert (live["branch"], live["base"]) == (f"ws/{slug}/WS-A", base)
    assert next(one["attempt"] for one in tasks if one["key"] == "B1")["branch"] == ""
    page = words(signed_in(driver.cast.observer).get(f"/workstreams/{driver.reload().uuid}/"))
    assert f"in ws/{slug}/WS-A from {base[:12]}" in page


def test_bx1_the_command_line_says_where_it_works(
    agent: Agent,
    driver: Driver,
    live_server: LiveServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_URL", live_server.url)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", secret_of(agent.executor))
    slug = driver.reload().slug
    assert main(["mine"]) == 0
    assert f"{agent.folder}, branch ws/{slug}/WS-A, from " in capsys.readouterr().out
    assert main(["tree", slug]) == 0
    out = capsys.readouterr().out
    assert f"A1  Price model  active, {agent.executor.name}, ws/{slug}/WS-A from " in out
