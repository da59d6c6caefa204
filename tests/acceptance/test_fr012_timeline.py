"""FR-002, FR-012: the timeline shows by lane who did what when, what waited for people, what was blocked."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from orchestrator.models import Executor
from orchestrator.queries.engine.explanations import explained
from orchestrator.queries.work.timeline import StretchKind, timeline_of
from orchestrator.services.people import blockers, interventions
from orchestrator.services.work import failures
from orchestrator.web.charts.axis import DrawnTime, moments_below
from tests.cast import Driver
from tests.web.pages import htmx, signed_in, words


@pytest.fixture
def begun(driver: Driver) -> Driver:
    """A1 failed once and was done, B1 is blocked, A2 waits for an answer."""
    driver.start()
    driver.claim("A1")
    driver.fail("A1", "Three tests failed <b>.")
    contributor = driver.cast.actor("contributor")
    failures.requeue(task_id=driver.task("A1").pk, reason="Again.", actor=contributor, now=driver.tick())
    driver.advance()
    driver.do("A1")
    declared = {"kind": "external", "note": "No vendor key.", "actor": contributor}
    blockers.declare_blocker(task_id=driver.task("B1").pk, now=driver.tick(), **declared)
    asked = {"note": "Keep the column?", "actor": contributor}
    interventions.flag_for_human(task_id=driver.task("A2").pk, now=driver.tick(), **asked)
    return driver


@pytest.fixture
def client(begun: Driver) -> Client:
    return signed_in(begun.cast.observer)


def page(driver: Driver) -> str:
    return f"/workstreams/{driver.reload().uuid}/timeline/"


def test_fr012_every_stretch_has_its_lane_and_its_kind(begun: Driver) -> None:
    timeline = timeline_of(explained(begun.reload(), begun.now), begun.now)
    told = {(one.lane, one.task.step.key, one.kind, one.state) for one in timeline.stretches}
    assert told >= {
        ("1/01/01 ledger", "A1", StretchKind.ATTEMPT, "failed"),
        ("1/01/01 ledger", "A1", StretchKind.ATTEMPT, "completed"),
        ("1/01/02 gateway", "B1", StretchKind.BLOCKER, ""),
        ("1/01/01 ledger", "A2", StretchKind.QUESTION, ""),
    }
    rest = [one for one in timeline.stretches if one.kind is StretchKind.REST]
    assert [one.task.step.key for one in rest][-3:] == ["MP1", "C1", "D1"]
    assert all(one.since >= begun.now for one in rest)
    assert [one.since for one in rest] == sorted(one.since for one in rest)
    assert timeline.lanes == (
        "1/01/01 ledger",
        "1/01/02 gateway",
        "1/02/01 refunds",
        "1/99/01 docs",
        "Gates",
    )


def test_fr012_each_mark_links_and_the_table_says_the_same(begun: Driver, client: Client) -> None:
    answer = client.get(page(begun))
    body, shown = answer.content.decode(), words(answer)
    marks = re.findall(r'<a href="([^"]+)" tabindex="-1" aria-label="([^"]+)">', body)
    base = f"/workstreams/{begun.reload().uuid}/tasks/"
    assert all(href.startswith(base) for href, _ in marks)
    says = " | ".join(text for _, text in marks)
    assert "A1 attempt 1 by builder-A1, failed" in says
    assert "Three tests failed &lt;b&gt;." in says
    assert "B1, blocked, open" in says
    assert "A2, for an answer, open" in says
    assert "C1 still to do, as it would run" in says
    assert len(marks) == body.count('<rect class="strip ')
    assert "1 failed attempt" in shown
    for row in ("A1 attempt 2 by builder-A1 1/01/01 ledger completed", "B1, blocked 1/01/02 gateway open"):
        assert row in shown


WIDE = b"".join(
    [
        b"# Plan: Wide\n## Stages\n### Stage 1: all\n##### Batch 01: one\n",
        *(
            b"###### Thread %02d: lane%d\n- Files: `src/%d/**`\n- K%03d: Build it\n" % (n, n, n, n)
            for n in range(1, 46)
        ),
    ]
)


def drawn(text: str) -> list[str]:
    return re.findall(r'tabindex="-1" aria-label="([^"]+)"><title>', text)


def test_fr012_ready_steps_are_drawn_and_told_and_nothing_is_called_work(driver: Driver) -> None:
    driver.start()
    body = signed_in(driver.cast.observer).get(page(driver))
    keys = {says.partition(" ")[0] for says in drawn(body.content.decode())}
    assert keys == {"A1", "A2", "B1", "MP1", "C1", "D1"}
    assert "A1 still to do, as it would run 1/01/01 ledger ready" in words(body)
    assert "Nothing has begun yet; 6 steps are still to do" in words(body)


def test_fr012_every_lane_of_many_is_reached_and_the_table_begins_with_what_comes_first(
    driver: Driver,
) -> None:
    driver.start(WIDE)
    client = signed_in(driver.cast.observer)
    texts = [client.get(page(driver) + query).content.decode() for query in ("", "?lanes=2", "?lanes=77")]
    keys = [{says.partition(" ")[0] for says in drawn(text)} for text in texts]
    assert keys[0] | keys[1] == {f"K{n:03}" for n in range(1, 46)}
    assert (len(keys[0]), keys[2]) == (40, keys[1])
    assert f'<a href="{page(driver)}?lanes=2">Lanes 41 to 45</a>' in texts[0]
    assert texts[0].index(">K001 still to do") < texts[0].index(">K040 still to do")


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (1, ["30 Nov 16:00", "16:15", "16:30", "16:45", "17:00"]),
        (24, ["30 Nov 16:00", "22:00", "1 Dec 04:00", "10:00", "16:00"]),
        (192, ["30 Nov", "2 Dec", "4 Dec", "6 Dec", "8 Dec"]),
    ],
)
def test_fr012_the_axis_says_the_day_where_it_changes(hours: int, said: list[str], settings: Any) -> None:
    settings.PROJECT_TIME_ZONE = "UTC"
    first = datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert [tick.text for tick in moments_below(DrawnTime(first, first + timedelta(hours=hours)))] == said


def test_fr012_the_workstream_s_page_loads_it_when_it_is_opened(begun: Driver, client: Client) -> None:
    whole = client.get(f"/workstreams/{begun.reload().uuid}/")
    assert "Open the timeline" in words(whole)
    assert "strip-" not in whole.content.decode()
    part = client.get(page(begun), **htmx("timeline-here"))
    assert part.content.strip().startswith(b'<div id="timeline-here"')


def test_fr012_an_executor_s_page_shows_what_it_did_by_workstream(begun: Driver, client: Client) -> None:
    name = Executor.objects.get(name__iexact="builder-A1").name
    shown = words(client.get(f"/executors/{name}/"))
    assert "Agent of carl" in shown
    assert f"A1 attempt 1 by {name} Card refunds failed" in shown
    assert client.get("/executors/nobody/").status_code == 404


def test_fr012_before_anything_began_the_rest_is_rehearsed(driver: Driver) -> None:
    driver.submit()
    assert "has begun" in words(signed_in(driver.cast.observer).get(page(driver)))


def test_fr012_it_costs_the_same_for_any_number_of_attempts(
    begun: Driver, client: Client, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    client.get(page(begun))
    with django_assert_max_num_queries(26) as few:
        client.get(page(begun))
    cost = len(few.captured_queries)
    interventions.clear_human_flag(
        task_id=begun.task("A2").pk, answer="Yes.", actor=begun.cast.actor("contributor"), now=begun.tick()
    )
    begun.advance()
    begun.do("A2")
    with django_assert_num_queries(cost):
        client.get(page(begun))
