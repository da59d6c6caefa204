"""LC-4, LC-5: the seven time windows, bold labels, and the chart with states and signals as filters."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from orchestrator.core.terms import Lifecycle, Signal, TimeWindow, WorkstreamStatus
from tests.cast import Cast
from tests.web.rows import workstream

#: A Wednesday, 00:30 in Berlin and still Tuesday in UTC.
NOW = datetime(2026, 3, 17, 23, 30, tzinfo=UTC)


@pytest.fixture
def reader(client: Client, cast: Cast, settings) -> Client:
    settings.PROJECT_TIME_ZONE = "Europe/Berlin"
    client.force_login(cast.observer)
    return client


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (TimeWindow.LAST_HOUR, timedelta(hours=1), timedelta(hours=1, seconds=1)),
        (TimeWindow.LAST_DAY, timedelta(hours=24), timedelta(hours=24, seconds=1)),
        (TimeWindow.LAST_WEEK, timedelta(days=7), timedelta(days=7, seconds=1)),
        (TimeWindow.LAST_MONTH, timedelta(days=30), timedelta(days=30, seconds=1)),
        (TimeWindow.TODAY, timedelta(minutes=30), timedelta(minutes=31)),
        (TimeWindow.THIS_WEEK, timedelta(days=2, minutes=30), timedelta(days=2, minutes=31)),
        (TimeWindow.THIS_MONTH, timedelta(days=17, minutes=30), timedelta(days=17, minutes=31)),
    ],
)
def test_lc4_a_window_shows_what_was_created_or_updated_in_it(
    reader: Client, cast: Cast, window: TimeWindow, inside: timedelta, outside: timedelta
) -> None:
    old = timedelta(days=90)
    workstream(cast.initiator, NOW, title="updated-inside", created=old, updated=inside)
    workstream(cast.initiator, NOW, title="updated-outside", created=old, updated=outside)
    with time_machine.travel(NOW, tick=False):
        text = reader.get(f"/portfolio/?window={window}").content.decode()
    assert "updated-inside" in text
    assert "updated-outside" not in text


def test_lc4_accepted_and_blocked_are_bold_in_time_based_views_only(reader: Client, cast: Cast) -> None:
    workstream(cast.initiator, NOW, title="is-active")
    workstream(cast.initiator, NOW, title="is-blocked", tasks=(1, 0, 1))
    workstream(cast.initiator, NOW, title="is-accepted", tasks=(0, 1, 0), status=WorkstreamStatus.COMPLETED)
    with time_machine.travel(NOW, tick=False):
        timed = reader.get("/portfolio/?window=today").content.decode()
        plain = reader.get("/portfolio/").content.decode()
    assert set(re.findall(r"<strong>(is-\w+)</strong>", timed)) == {"is-blocked", "is-accepted"}
    assert ">is-active<" in timed
    assert not re.findall(r"<strong>(is-\w+)</strong>", plain)


def test_lc5_the_chart_stacks_states_by_domain_and_its_marks_open_the_list(
    reader: Client, cast: Cast
) -> None:
    for _ in range(2):
        workstream(cast.initiator, NOW, domain="search")
    workstream(cast.initiator, NOW, domain="search", tasks=(0, 4, 0), title="wants acceptance")
    workstream(cast.initiator, NOW, domain="payments", status=WorkstreamStatus.PLANNING)
    with time_machine.travel(NOW, tick=False):
        text = reader.get("/portfolio/").content.decode()
        bar = re.search(
            r'<svg class="bar"[^>]*aria-label="search: 3">(.*?)<span class="bar-total">', text, re.DOTALL
        )
        assert bar
        assert re.findall(r'class="mark mark-(\w+)" x="([\d.]+)%" y="0" width="([\d.]+)%"', bar[1]) == [
            ("active", "0.0", "66.667"),
            ("finished", "66.667", "33.333"),
        ]
        mark = re.search(r'<a href="([^"]+)" aria-label="search, Finished: 1">', bar[1])
        assert mark
        opened = reader.get(mark[1].replace("&amp;", "&")).content.decode()
    rows = re.findall(r'<tr data-row>.*?<a href="[^"]+"><bdi>([^<]+)</bdi></a>', opened, re.DOTALL)
    assert rows == ["wants acceptance"]
    assert (
        "<strong>Workstreams by domain.</strong> 4 workstreams in 2 domains; search has the most, 3;" in text
    )


def test_lc5_every_state_and_signal_can_be_selected(reader: Client, cast: Cast) -> None:
    old = timedelta(days=20)
    facts = {
        "planning": {"status": WorkstreamStatus.PLANNING, "tasks": (0, 0, 0)},
        "active": {},
        "finished": {"tasks": (0, 1, 0)},
        "accepted": {"tasks": (0, 1, 0), "status": WorkstreamStatus.COMPLETED},
        "archived": {"tasks": (0, 1, 0), "status": WorkstreamStatus.ARCHIVED},
        "blocked": {"tasks": (1, 0, 1)},
        "stalled": {"tasks": (1, 1, 0), "updated": old, "created": old},
        "oldies": {"tasks": (1, 0, 0), "created": old},
    }
    for name, values in facts.items():
        workstream(cast.initiator, NOW, title=f"row-{name}", **values)
    in_progress = {"row-active", "row-blocked", "row-stalled", "row-oldies"}
    with time_machine.travel(NOW, tick=False):
        for state in Lifecycle:
            found = _titles(reader, f"state={state}")
            assert found == (in_progress if state == Lifecycle.ACTIVE else {f"row-{state}"})
        for signal in Signal:
            assert _titles(reader, f"signal={signal}") == {f"row-{signal}"}
        assert _titles(reader, "state=active&signal=stalled&signal=oldies") == {"row-stalled", "row-oldies"}


def _titles(reader: Client, query: str) -> set[str]:
    text = reader.get(f"/portfolio/?{query}").content.decode()
    checked = set(re.findall(r'<input\s+type="checkbox"[^>]*\bvalue="(\w+)"\s+checked\s*>', text))
    assert checked == set(re.findall(r"=(\w+)", query))
    return set(re.findall(r">(row-\w+)<", text))
