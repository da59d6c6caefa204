"""FR-013, FR-017, FR-026: figures, their filters, and the way from a figure to items, history and files."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from itertools import pairwise

import pytest
import time_machine
from django.test import Client

from orchestrator.models import Workstream
from tests.cast import Cast, Driver
from tests.machines import Machine
from tests.services.statements import statements
from tests.web.flow_rows import flow_rows

NOW = datetime(2026, 3, 18, 10, 0, tzinfo=UTC)
TWO_STEPS = b"""# Plan: Two steps
## Stages
### Stage 1: all
##### Batch 01: one
###### Thread 01: t
- A1: Begin
- A2: End
"""
FILTERS = [
    "",
    "time=7d",
    "time=all",
    "domain=payments",
    "domain=-",
    "owner=ines",
    "workflow=refunds",
    "status=accepted",
    "since=2026-01-05&until=2026-02-01",
    "time=30d&domain=search&owner=anna&workflow=login",
]


@pytest.fixture
def reader(client: Client, cast: Cast, settings) -> Client:
    settings.PROJECT_TIME_ZONE = "Europe/Berlin"
    client.force_login(cast.observer)
    return client


@pytest.fixture
def filled(cast: Cast) -> list[Workstream]:
    return flow_rows([cast.initiator, cast.approver], NOW, 200)


def cards(page: str) -> dict[str, tuple[str, str]]:
    """Number and address of each card by its name."""
    found = re.findall(r"<dt>([^<]+)</dt>\s*<dd><a href=\"([^\"]+)\">([\d.,–]+)", page)
    return {name.split(",")[0]: (number, unescape(href)) for name, href, number in found}


def listed(reader: Client, address: str) -> tuple[int, list[dict[str, str]], dict]:
    """How many rows a list says it has, the rows of its CSV, and what REST answers for the same address."""
    page = reader.get(address).content.decode()
    said = re.search(r"Export (\d+) item", page)
    query = address.partition("?")[2]
    text = b"".join(reader.get(f"/flow.csv?{query}").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    answer = reader.get(f"/api/flow/items?{query}&limit=500").json()
    return int(said[1]) if said else 0, rows, answer


@pytest.mark.parametrize("query", FILTERS)
def test_fr013_fr017_fr026_card_list_csv_and_rest_say_the_same(
    reader: Client, filled: list[Workstream], query: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        page = reader.get(f"/flow/?{query}").content.decode()
        report = reader.get(f"/api/flow/?{query}").json()
        found = cards(page)
        for name, total in (
            ("Throughput", report["finished"]),
            ("In progress", report["in_progress"]),
            ("Rework", report["reworked"]),
            ("Blocked", report["was_blocked"]),
            ("Cycle time", report["cycle"]["n"]),
        ):
            count, rows, answer = listed(reader, found[name][1])
            assert count == len(rows) == answer["total"] == len(answer["items"]) == total, name
            uuids = [item["uuid"] for item in answer["items"]]
            assert uuids == [row["uuid"] for row in rows]
        _, rows, answer = listed(reader, found["Blocked"][1])
    blocked = sum(float(row["blocked_seconds"]) for row in rows)
    assert blocked == pytest.approx(report["blocked_seconds"])
    assert blocked == pytest.approx(sum(item["blocked_seconds"] for item in answer["items"]))
    plain = by_hand(filled, query)
    assert report["finished"] == len(plain)
    assert report["rework_rate"] == (sum(w.back_moves > 0 for w in plain) / len(plain) if plain else None)
    assert sum(bucket["finished"] for bucket in report["throughput"]) == report["finished"]


def by_hand(rows: list[Workstream], query: str) -> list[Workstream]:
    """The finished ones of a filter, by another reckoning: over rows, in local days."""
    chosen = dict(part.split("=") for part in query.split("&") if part)
    today = date(2026, 3, 18)
    length = {"7d": 7, "30d": 30, "all": 10_000}.get(chosen.get("time", ""), 90)
    since = date.fromisoformat(chosen.get("since", str(today - timedelta(days=length - 1))))
    until = date.fromisoformat(chosen.get("until", str(today)))

    def matches(row: Workstream) -> bool:
        if row.finished_at is None:
            return False
        day = (row.finished_at + timedelta(hours=1)).date()  # Berlin, before the clock changes
        return (
            since <= day <= until
            and chosen.get("domain", row.domain or "-") == (row.domain or "-")
            and chosen.get("owner", row.owner.username) == row.owner.username
            and chosen.get("workflow", row.version.workflow.slug) == row.version.workflow.slug
            and (chosen.get("status") != "accepted" or row.accepted_at is not None)
        )

    return [row for row in rows if matches(row)]


@pytest.mark.parametrize("query", ["", "time=all&span=month", "span=day&time=30d", "until=2026-02-01"])
def test_fr013_every_mark_leads_to_as_many_items_as_it_says(
    reader: Client, filled: list[Workstream], query: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        page = reader.get(f"/flow/?{query}").content.decode()
        marks = [
            (unescape(href), said)
            for href, said in re.findall(r'<a href="([^"]+)"[^>]* aria-label="([^"]+)"', page)
            if href.startswith("/flow/items/")
        ]
        assert len(marks) > 20
        for href, said in marks[::4]:
            wanted = re.search(r"^(\d+) items|: (\d+) ", said)
            assert wanted, said
            count, rows, answer = listed(reader, href)
            assert count == len(rows) == answer["total"] == int(wanted[1] or wanted[2]), (said, href)


def test_fr013_fr026_from_a_figure_to_history_and_files(driver: Driver, client: Client, cast: Cast) -> None:
    driver.start()
    driver.finish()
    client.force_login(cast.observer)
    page = client.get("/flow/").content.decode()
    number, href = cards(page)["Throughput"]
    assert number == "1"
    items = client.get(href).content.decode()
    json_href = re.search(r'href="(/api/flow/items[^"]+)"', items)
    assert json_href
    assert client.get(unescape(json_href[1])).json()["total"] == 1
    row = driver.reload()
    for place in (f"/workstreams/{row.uuid}/history/", f"/workstreams/{row.uuid}/files/"):
        assert f'href="{place}"' in items
        assert client.get(place).status_code == 200
    assert "n = 1" in page
    assert "percentiles from 10" in page


def test_fr013_the_zone_decides_the_day_and_is_printed(reader: Client, cast: Cast, settings) -> None:
    row = flow_rows([cast.initiator], NOW, 1)[0]
    # 23:30 on Sunday in UTC is 00:30 on Monday in Berlin: another day, and another week.
    finished = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    Workstream.objects.filter(pk=row.pk).update(
        flow_state="finished", status="active", created_at=finished - timedelta(days=3),
        started_at=finished - timedelta(days=2), finished_at=finished, accepted_at=None,
    )  # fmt: skip
    for zone, day, week in (("UTC", "2026-03-08", "2026-W10"), ("Europe/Berlin", "2026-03-09", "2026-W11")):
        settings.PROJECT_TIME_ZONE = zone
        with time_machine.travel(NOW, tick=False):
            for span, key in (("day", day), ("week", week)):
                report = reader.get(f"/api/flow/?span={span}").json()
                filled = [one["bucket"] for one in report["throughput"] if one["finished"]]
                assert (report["time_zone"], filled) == (zone, [key])
            page = reader.get("/flow/").content.decode()
            assert page.count(f"{zone}; weeks begin on Monday") == 4, "on every chart"
            text = b"".join(reader.get("/flow.csv").streaming_content).decode("utf-8-sig")
            assert f"finished ({zone})" in text.splitlines()[0]


def test_fr013_throughput_shows_empty_and_partial_buckets(reader: Client, filled: list[Workstream]) -> None:
    with time_machine.travel(NOW, tick=False):
        weeks = reader.get("/api/flow/?time=90d").json()["throughput"]
        days = reader.get("/api/flow/?time=30d&span=day").json()["throughput"]
        page = reader.get("/flow/?time=30d&span=day").content.decode()
    keys = [one["bucket"] for one in weeks]
    firsts = [date.fromisocalendar(int(key[:4]), int(key[6:]), 1) for key in keys]
    assert [(after - before).days for before, after in pairwise(firsts)] == [7] * (len(keys) - 1)
    assert weeks[-1]["partial"] is True
    assert len(days) == 30
    assert any(one["finished"] == 0 for one in days)
    assert "column-partial" in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("time=fortnight", "is no choice of “Time”"),
        ("status=done", "is no choice of “Status”"),
        ("since=yesterday", "is no day for “From day”"),
        ("since=2026-02-30", "is no day for “From day”"),
        ("span=hour", "is no choice of “Throughput by”"),
        ("show=everything", "is no choice of “Items”"),
        ("on=2026-W99", "is no day, week or month"),
        ("on=99999-01", "is no day, week or month"),
        ("cycle=long", "is no span for “Cycle time”"),
        ("since=2026-03-02&until=2026-03-01", "behind that in “To day”"),
        ("until=9999-12-31", "is no day for “To day”"),
        ("on=2999-12-31", ""),
    ],
)
def test_fr017_a_filter_that_means_nothing_is_said(reader: Client, cast: Cast, query: str, said: str) -> None:
    flow_rows([cast.initiator], NOW, 3)
    for page in ("/flow/", "/flow/items/", "/flow/forecast/", "/flow/steps/"):
        answer = reader.get(f"{page}?{query}")
        assert answer.status_code == 200
        assert said in answer.content.decode()
    if said:
        refused = reader.get(f"/flow.csv?{query}")
        assert refused.status_code == 422
        assert said in refused.content.decode()
        assert reader.get(f"/api/flow/items?{query}").status_code in {422} or query.startswith("span")


def test_fr013_nothing_yet(reader: Client) -> None:
    for page in ("/flow/", "/flow/items/", "/flow/forecast/", "/flow/steps/", "/flow/?until=2020-01-01"):
        assert reader.get(page).status_code == 200
    report = reader.get("/api/flow/").json()
    assert (report["finished"], report["rework_rate"], report["lead"]["n"]) == (0, None, 0)
    text = reader.get("/flow/").content.decode()
    assert text.count("nothing is finished yet") == 2
    assert "0 moves" not in text


def test_fr013_a_forecast_is_the_same_again_and_says_its_seed(
    reader: Client, filled: list[Workstream]
) -> None:
    with time_machine.travel(NOW, tick=False):
        first = reader.get("/api/flow/forecast?items=40&days=20&seed=5").json()
        again = reader.get("/api/flow/forecast?items=40&days=20&seed=5").json()
        page = reader.get("/flow/forecast/?items=40&seed=5").content.decode()
        short = reader.get("/api/flow/forecast?time=7d")
    assert first == again
    assert (first["runs"], first["seed"], first["history"]) == (10_000, 5, 89)
    assert first["done_by"]["50"] <= first["done_by"]["85"] <= first["done_by"]["95"]
    assert first["at_least"]["50"] >= first["at_least"]["85"] >= first["at_least"]["95"]
    day = date.fromisoformat(first["done_by"]["85"])
    assert f"85 % by {day.day} {day:%b} {day.year}." in page
    assert "seed 5" in page
    assert short.status_code == 409
    assert "6 days of history" in short.json()["message"]


def test_fr013_a_page_asks_the_same_number_of_statements_however_many_items(
    reader: Client, cast: Cast
) -> None:
    counts = []
    for more in (5, 300):
        flow_rows([cast.initiator], NOW, more, seed=more) if more == 5 else None
        if more == 300:
            Workstream.objects.bulk_create(_copies(300))
        with time_machine.travel(NOW, tick=False), statements() as seen:
            assert reader.get("/flow/").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 14, counts


def _copies(count: int) -> list[Workstream]:
    pattern = Workstream.objects.filter(finished_at__isnull=False).first()
    assert pattern is not None
    copies = []
    for number in range(count):
        fields = {f.attname: getattr(pattern, f.attname) for f in pattern._meta.concrete_fields}
        del fields["id"], fields["uuid"]
        fields["slug"] = f"copy-{number}"
        copies.append(Workstream(**fields))
    return copies


def test_fr013_machines_with_a_token_read_the_same(driver: Driver, cast: Cast) -> None:
    driver.start()
    machine = Machine.of(cast.builder())
    assert machine.get("/api/flow/")[1]["in_progress"] == 0
    driver.claim("A1")
    assert machine.get("/api/flow/")[1]["in_progress"] == 1


def test_fr013_ages_stand_at_their_steps_against_the_past(cast: Cast, reader: Client) -> None:
    """Twelve items have left A1; another one stands there for longer than most of them took."""
    for number in range(12):
        driver = Driver(cast, start=NOW - timedelta(days=40, hours=number))
        driver.start_afresh(TWO_STEPS)
        driver.claim("A1")
        driver.now += timedelta(hours=number + 1)
        driver.complete("A1")
        driver.finish()
    old = Driver(cast, start=NOW - timedelta(hours=11, minutes=30))
    old.start_afresh(TWO_STEPS)
    old.claim("A1")
    with time_machine.travel(NOW, tick=False):
        page = reader.get("/flow/").content.decode()
        steps = reader.get("/flow/steps/").content.decode()
        rows = reader.get("/api/flow/items?show=in-progress&at=work").json()
        none = reader.get("/api/flow/items?show=in-progress&at=release").json()
    assert "1 item is older than 85 % of finished items were when they left that step." in page
    assert re.search(r'aria-label="Two steps, work: 11\.\d hours, older than 85 %"', page)
    assert (rows["total"], none["total"]) == (1, 0)
    assert rows["items"][0]["workstream"] == old.reload().slug
    key = re.search(r'step=A1">(\d+)<.*?step=A1">(\d+)<.*?</td>.*?<td[^>]*>([^<]+)<', steps, re.DOTALL)
    assert key
    assert (key[1], key[2], key[3].strip()) == ("1", "12", "6 hours"), "in work, finished, 50 %"


@pytest.mark.parametrize("by", ["domain", "workflow", "owner"])
def test_fr013_fr017_the_roll_up_comes_to_the_whole(
    reader: Client, filled: list[Workstream], by: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        report = reader.get("/api/flow/").json()
        page = reader.get(f"/flow/?by={by}").content.decode()
        table = page.partition('id="roll-up"')[2]
        found = re.findall(r'<th scope="row">\s*<a href="([^"]+)">', table)
        parts = [reader.get(unescape(href).replace("/flow/", "/api/flow/", 1)).json() for href in found]
        counts = [int(n) for n in re.findall(r'data-label="Finished" class="num">(?:<a[^>]*>)?(\d+)', table)]
    assert len(found) in {2, 3}
    assert [part["finished"] for part in parts] == counts
    assert sum(counts) == report["finished"]
    assert sum(part["in_progress"] for part in parts) == report["in_progress"]


@pytest.mark.parametrize("query", ["domain=nowhere", "owner=nobody", "workflow=none"])
def test_fr017_a_name_that_nothing_has_is_said(reader: Client, cast: Cast, query: str) -> None:
    flow_rows([cast.initiator], NOW, 3)
    assert "No workstream has the" in reader.get(f"/flow/?{query}").content.decode()
    assert reader.get(f"/flow.csv?{query}").status_code == 422
    assert reader.get(f"/api/flow/?{query}").status_code == 422


def test_fr013_work_of_minutes_is_drawn_in_minutes_each_item_as_a_mark(reader: Client, cast: Cast) -> None:
    """Everything began today: no other day stands below the charts, and nothing is counted over two."""
    for place, row in enumerate(flow_rows([cast.initiator, cast.approver], NOW, 4)):
        began = NOW - timedelta(minutes=50 - place)
        ended = None if place == 3 else began + timedelta(minutes=7 * place, seconds=3)
        Workstream.objects.filter(pk=row.pk).update(
            flow_state="finished" if ended else "started", status="active",
            created_at=began, started_at=began,
            finished_at=ended, first_finished_at=ended, accepted_at=None, first_accepted_at=None,
            blocked_since=None if ended else NOW - timedelta(minutes=2), blocked_time=timedelta(0),
        )  # fmt: skip
    with time_machine.travel(NOW, tick=False):
        page = reader.get("/flow/").content.decode()
        before = reader.get("/flow/?since=2026-03-01&until=2026-03-10").content.decode()
    scatter = page[page.index('id="scatter"') : page.index('id="ageing"')]
    assert scatter.count("<circle") == 3
    assert len(set(re.findall(r' cy="([\d.]+)"', scatter))) == 3
    assert ">minutes</text>" in scatter
    ages = page[page.index('id="ageing"') : page.index('id="throughput"')]
    assert ">minutes</text>" in ages
    below = re.findall(r'y="14" text-anchor="\w+">([^<]+)<', scatter)
    assert below == ["18 Mar 10:10", "10:22", "10:35", "10:47", "11:00"]
    assert "in 1 day:" in page
    assert "W11" not in page
    assert cards(page)["Blocked now"][0] == "1"
    assert "show=blocked-now" in cards(page)["Blocked now"][1]
    assert "lost 2 minutes so far, 4 % of their age" in page
    assert "nothing was registered yet" in before
