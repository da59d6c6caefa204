"""Chart, list and CSV show the same rows for every choice of filters (LC-5, DC-7)."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from orchestrator.core.engine.attention import in_window, lifecycle, signals
from orchestrator.core.terms import Lifecycle, Signal, TimeWindow, WorkstreamStatus
from orchestrator.models import Workstream
from orchestrator.queries.workstreams.portfolio import Filters, Portfolio, counts_of
from tests.cast import Cast
from tests.web.rows import workstream

AGES = [
    timedelta(0),
    timedelta(hours=3),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=8),
    timedelta(days=45),
]
TASKS = [(0, 0, 0), (2, 0, 0), (1, 1, 1), (0, 3, 0)]


@pytest.fixture
def reader(client: Client, cast: Cast) -> Client:
    client.force_login(cast.observer)
    return client


@pytest.fixture
def everything(cast: Cast) -> datetime:
    """Every status, task count and age, over three domains and two owners."""
    now = timezone.now()
    for number, (status, tasks, age) in enumerate(product(WorkstreamStatus, TASKS, AGES)):
        owner = cast.initiator if number % 2 else cast.approver
        domain = ("payments", "search", "")[number % 3]
        workstream(owner, now, status=status, tasks=tasks, domain=domain, created=age * 2, updated=age)
    return now


QUERIES = [
    "",
    "state=active",
    "state=active&state=finished&signal=blocked",
    "signal=stalled&signal=oldies",
    "window=7d&domain=payments",
    "window=today",
    "domain=-",
    "owner=ines&text=workstream",
]


@pytest.mark.parametrize("query", QUERIES)
def test_chart_list_and_csv_agree(reader: Client, everything: datetime, query: str) -> None:
    page = reader.get(f"/portfolio/?{query}").context
    charted = sum(mark.count for row in page["chart"] for mark in row.marks)
    twin = sum(count for row in page["chart"] for _, count, _ in row.cells)
    listed = page["page_obj"].paginator.object_list.count()
    rows = list(csv.DictReader(io.StringIO(_csv(reader, query))))
    assert charted == twin == listed == len(rows) == page["portfolio"].count
    assert [row["workstream"] for row in rows] == [row.slug for row in page["portfolio"].rows]


@pytest.mark.parametrize("query", QUERIES)
def test_the_filters_mean_what_the_rules_say(everything: datetime, query: str) -> None:
    """The database's conditions and core.attention are one definition."""
    zone = ZoneInfo("Europe/Berlin")
    filters = Filters.read(QueryDict(query))
    shown = set(Portfolio(filters, everything, zone).rows)
    for row in Workstream.objects.select_related("owner"):
        facts = counts_of(row)
        expected = (
            (not filters.states or lifecycle(facts) in filters.states)
            and (not filters.signals or bool(signals(facts, everything) & filters.signals))
            and (filters.window is None or in_window(facts, filters.window, everything, zone))
            and filters.domain in ("", row.domain or "-")
            and filters.owner in ("", row.owner.username)
        )
        assert (row in shown) == expected, (row, facts)


def test_each_filter_says_how_many_it_would_show(reader: Client, everything: datetime) -> None:
    offers = reader.get("/portfolio/?domain=search").context["offers"]
    for group, key in (("states", "state"), ("signals", "signal"), ("windows", "window")):
        for value, _, count, _ in offers[group]:
            narrowed = reader.get(f"/portfolio/?domain=search&{key}={value}").context["portfolio"]
            assert narrowed.count == count, (group, value)


def test_marks_and_table_lead_to_the_rows_they_count(reader: Client, everything: datetime) -> None:
    chart = reader.get("/portfolio/?signal=oldies&window=30d&page=1").context["chart"]
    assert chart
    for row in chart:
        for state, count, href in row.cells:
            target = reader.get(href.removesuffix("#list")).context["portfolio"]
            assert target.count == count, (row.name, state)
            assert target.filters.signals == {Signal.OLDIES}
            assert target.filters.window == TimeWindow.LAST_MONTH


def test_the_list_costs_the_same_however_long_it_is(
    reader: Client, cast: Cast, everything: datetime, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(16) as few:
        reader.get("/portfolio/?state=active")
    with django_assert_max_num_queries(len(few)):
        reader.get("/portfolio/")


def test_htmx_gets_the_results_alone_and_history_the_whole_page(reader: Client, everything: datetime) -> None:
    part = reader.get("/portfolio/", headers={"HX-Request": "true", "HX-Target": "results"})
    assert part.content.lstrip().startswith(b'<div id="results"')
    assert "HX-Request" in part["Vary"]
    assert "HX-History-Restore-Request" in part["Vary"]
    restored = {"HX-Request": "true", "HX-Target": "results", "HX-History-Restore-Request": "true"}
    whole = reader.get("/portfolio/", headers=restored)
    assert b"<!DOCTYPE html>" in whole.content


def test_drill_down_leads_to_the_item_and_its_history(reader: Client, cast: Cast) -> None:
    row = workstream(cast.initiator, timezone.now(), title="Token refresh")
    text = reader.get("/portfolio/").content.decode()
    assert f'href="/workstreams/{row.uuid}/"' in text
    assert f'href="/workstreams/{row.uuid}/history/"' in text


def test_an_empty_portfolio_names_the_next_step(reader: Client) -> None:
    text = reader.get("/portfolio/").content.decode()
    assert "There is no workstream yet" in text
    assert "Submit a plan" in text
    assert "No workstream matches" in reader.get("/portfolio/?text=nothing").content.decode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"])
def test_b23_a_cell_is_never_a_formula(reader: Client, cast: Cast, text: str) -> None:
    workstream(cast.initiator, timezone.now(), title=text, domain=text)
    (row,) = csv.DictReader(io.StringIO(_csv(reader, "")))
    assert row["title"] == f"'{text}"
    assert row["domain"] == f"'{text}"


def test_the_file_prints_the_zone(reader: Client, cast: Cast, settings) -> None:
    settings.PROJECT_TIME_ZONE = "Europe/Berlin"
    workstream(cast.initiator, datetime(2026, 7, 1, 12, tzinfo=UTC))
    (row,) = csv.DictReader(io.StringIO(_csv(reader, "")))
    assert row["updated (Europe/Berlin)"] == "2026-07-01T14:00:00+02:00"


def test_no_style_or_script_stands_inline(reader: Client, everything: datetime) -> None:
    text = reader.get("/portfolio/").content.decode()
    assert not re.search(r"<[^>]+\sstyle=|<style|<script(?![^>]*\ssrc=)|<[^>]+\son[a-z]+=", text)


def test_nobody_reads_it_without_signing_in(client: Client) -> None:
    for address in ("/portfolio/", "/portfolio.csv", "/", "/history/", "/policies/", "/tokens/"):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("state", Lifecycle)
def test_every_state_has_a_colour_a_shape_and_a_word(
    reader: Client, everything: datetime, state: Lifecycle
) -> None:
    text = reader.get(f"/portfolio/?state={state}").content.decode()
    chips = re.findall(r'<span class="chip chip-(\w+)"><svg class="glyph".*?</svg><span>(\w+)</span>', text)
    assert state.value.capitalize() in {word for _, word in chips}


def _csv(client: Client, query: str) -> str:
    response = client.get(f"/portfolio.csv?{query}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
