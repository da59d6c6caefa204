"""FR-012: blockers and what they take, in days and of the forecast; rebuilt from history and checked."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.utils import timezone

from orchestrator.models import StateInterval, Workstream
from orchestrator.services.people.blockers import declare_blocker
from tests.cast import Cast, Driver
from tests.web.flow_rows import flow_rows
from tests.web.pages import words

NOW = datetime(2026, 3, 18, 10, 0, tzinfo=UTC)


@pytest.fixture
def reader(client: Client, cast: Cast) -> Client:
    client.force_login(cast.observer)
    return client


def test_fr012_blockers_take_their_share_of_the_forecast(reader: Client, cast: Cast) -> None:
    flow_rows([cast.initiator], NOW, 120)
    with time_machine.travel(NOW, tick=False):
        report = reader.get("/api/flow/").json()
        answer = reader.get("/api/flow/forecast?items=30").json()
        page = reader.get("/flow/forecast/?items=30").content.decode()
    taken = re.search(r"30 items would take about ([\d.]+) of the (\d+) days", page)
    assert taken
    assert report["blocked_share"] == pytest.approx(report["blocked_seconds"] / _cycle_seconds())
    days = (datetime.fromisoformat(answer["done_by"]["85"]).date() - NOW.date()).days
    assert int(taken[2]) == days
    assert float(taken[1]) == pytest.approx(days * report["blocked_share"], abs=0.06)


def _cycle_seconds() -> float:
    since = datetime(2025, 12, 19, tzinfo=UTC)
    rows = Workstream.objects.filter(finished_at__gte=since)
    return sum((row.finished_at - row.started_at).total_seconds() for row in rows)


def test_fr012_without_blocked_items_nothing_is_taken(reader: Client, cast: Cast) -> None:
    flow_rows([cast.initiator], NOW, 60)
    Workstream.objects.update(blocked_time=timedelta(0))
    with time_machine.travel(NOW, tick=False):
        page = reader.get("/flow/forecast/").content.decode()
    assert "blockers take nothing of the forecast" in page


def test_fr012_what_blockers_took_is_said_of_a_short_history_with_its_n(reader: Client, cast: Cast) -> None:
    """No forecast is made of less than ten days; what was lost is known all the same."""
    rows = flow_rows([cast.initiator], NOW, 2)
    for row in rows:
        Workstream.objects.filter(pk=row.pk).update(
            flow_state="finished", status="active", created_at=NOW - timedelta(days=4),
            started_at=NOW - timedelta(days=3), finished_at=NOW - timedelta(days=1),
            blocked_time=timedelta(hours=12), blocked_since=None, accepted_at=None,
        )  # fmt: skip
    with time_machine.travel(NOW, tick=False):
        page = words(reader.get("/flow/forecast/"))
    assert "blocked for 1 day, 25 % of their cycle time (n = 2; so few say little)" in page
    assert "How many days that takes of a forecast is not said: 3 days of history are too few" in page
    assert "it takes 10" in page
    Workstream.objects.update(started_at=None, finished_at=None, flow_state="planned")
    with time_machine.travel(NOW, tick=False):
        page = words(reader.get("/flow/forecast/"))
    assert "Nothing that was started was finished in this time" in page


def test_fr012_an_open_blocker_counts_until_now_and_is_found(driver: Driver, reader: Client) -> None:
    driver.start()
    driver.claim("A1")
    task = driver.task("A1")
    declare_blocker(
        task_id=task.pk,
        kind="external",
        note="no key",
        actor=driver.cast.actor("contributor"),
        now=timezone.now(),
    )
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=2), tick=False):
        items = reader.get("/api/flow/items?show=blocked-now").json()
        page = reader.get("/flow/forecast/").content.decode()
    assert items["total"] == 1
    assert 7_200 <= items["items"][0]["blocked_seconds"] < 7_800
    assert "No forecast yet" in page
    report = reader.get("/api/flow/").json()
    assert report["in_progress"] == 1


def intervals() -> list[tuple[object, ...]]:
    return list(StateInterval.objects.filter(void=False).values_list("state", "began_at", "ended_at"))


def test_fr013_what_was_kept_is_made_again_from_history(
    driver: Driver, capsys: pytest.CaptureFixture[str]
) -> None:
    driver.start()
    driver.finish()
    call_command("rebuild", "flow", "--check")
    assert "0 differ from the history" in capsys.readouterr().out
    kept = Workstream.objects.get(pk=driver.reload().pk)
    rows = intervals()
    StateInterval.objects.update(began_at=F("began_at") - timedelta(days=1))
    Workstream.objects.update(active_time=timedelta(days=9), back_moves=4, first_finished_at=None)
    with pytest.raises(SystemExit):
        call_command("rebuild", "flow", "--check")
    said = capsys.readouterr().out
    assert "back_moves is 4 in the tables, 0 by history" in said
    assert "history has started from" in said
    call_command("rebuild", "flow")
    assert "1 were made again" in capsys.readouterr().out
    again = Workstream.objects.get(pk=kept.pk)
    for name in ("active_time", "back_moves", "first_finished_at", "flow_state", "flow_since"):
        assert getattr(again, name) == getattr(kept, name), name
    assert intervals() == rows
