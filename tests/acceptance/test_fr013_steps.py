"""FR-013, FR-017: steps that took time and steps in work, and the way from each figure to its items."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client

from tests.cast import Cast, Driver
from tests.web.pages import words

NOW = datetime(2026, 3, 18, 10, 0, tzinfo=UTC)
FILTERS = ["", "time=7d", "domain=payments", "domain=-", "owner=ines", "of=Refunds", "of=Search"]


def plan(name: str, domain: str = "") -> bytes:
    front = f"---\ndomain: {domain}\n---\n" if domain else ""
    return f"""{front}# Plan: {name}
## Stages
### Stage 1: all
##### Batch 01: one
###### Thread 01: left
- A1: Begin {name}
- A2: End {name}
###### Thread 02: right
- B1: Beside it
""".encode()


@pytest.fixture
def reader(client: Client, cast: Cast) -> Client:
    client.force_login(cast.observer)
    return client


def started(cast: Cast, ago: timedelta, name: str, domain: str = "") -> Driver:
    driver = Driver(cast, start=NOW - ago)
    driver.start_afresh(plan(name, domain))
    return driver


@pytest.fixture
def work(cast: Cast) -> list[Driver]:
    """Two plans called Refunds and one called Search are done; in two others work goes on."""
    for days, name, domain in ((9, "Refunds", "payments"), (8, "Refunds", ""), (3, "Search", "")):
        driver = started(cast, timedelta(days=days), name, domain)
        driver.claim("A1")
        driver.now += timedelta(hours=days)
        driver.complete("A1")
        driver.finish()
    first = started(cast, timedelta(hours=30), "Refunds", "payments")
    for key in ("A1", "B1"):
        first.claim(key, executor=cast.builder(f"refunder-{key}"))
    second = started(cast, timedelta(hours=5), "Search")
    second.do("A1")
    second.claim("A2")
    return [first, second]


def table(page: str) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """By the words in a row's head: the row's text, and the figures in it with their addresses."""
    found = {}
    for row in re.findall(r"<tr data-row>(.*?)</tr>", page, re.DOTALL):
        said = " ".join(re.sub(r"<[^>]+>", " ", row).split())
        links = re.findall(r'<a href="([^"]+)">(\d+)<', row)
        head = " ".join(re.sub(r"<[^>]+>", " ", row.split("</th>")[0]).split())
        found[head] = (said, [(unescape(href), number) for href, number in links])
    return found


def test_fr013_the_same_key_in_another_plan_is_another_step(reader: Client, work: list[Driver]) -> None:
    with time_machine.travel(NOW, tick=False):
        page = reader.get("/flow/steps/").content.decode()
    rows = table(page)
    assert rows["A1 Begin Refunds of Refunds"][0].startswith("A1 Begin Refunds of Refunds 1")
    assert [number for _href, number in rows["A1 Begin Refunds of Refunds"][1]] == ["1", "2"]
    assert [number for _href, number in rows["A1 Begin Search of Search"][1]] == ["1"]
    assert [number for _href, number in rows["A2 End Search of Search"][1]] == ["1", "1"]


def test_fr013_steps_in_work_are_there_with_their_age(reader: Client, work: list[Driver]) -> None:
    with time_machine.travel(NOW, tick=False):
        page = reader.get("/flow/steps/?of=Refunds")
        answer = reader.get("/api/flow/steps?of=Refunds").json()
        past = words(reader.get("/flow/steps/?until=2026-03-16"))
    assert "2 steps in work" in words(page)
    in_work = {one["step"]: one["in_work"] for one in answer["steps"]}
    assert {key: one["n"] for key, one in in_work.items()} == {"A1": 1, "A2": 0, "B1": 1}
    assert timedelta(hours=29) < timedelta(seconds=in_work["A1"]["longest"]) < timedelta(hours=30)
    assert "known for now only" in past


def test_fr013_a_step_that_is_done_again_is_in_work_again(reader: Client, cast: Cast) -> None:
    driver = started(cast, timedelta(hours=9), "Refunds")
    driver.do("B1")
    driver.claim("A1")
    driver.fail("A1")
    with time_machine.travel(NOW, tick=False):
        answer = reader.get("/api/flow/items?show=in-work&step=A1").json()
        none = reader.get("/api/flow/items?show=in-work&step=B1").json()
    assert (answer["total"], none["total"]) == (1, 0)


@pytest.mark.parametrize("query", FILTERS)
def test_fr013_fr017_every_figure_leads_to_its_rows(reader: Client, work: list[Driver], query: str) -> None:
    with time_machine.travel(NOW, tick=False):
        page = reader.get(f"/flow/steps/?{query}").content.decode()
        answer = reader.get(f"/api/flow/steps?{query}").json()
        text = b"".join(reader.get(f"/flow/steps.csv?{query}").streaming_content).decode("utf-8-sig")
        figures = [(href, number) for _said, links in table(page).values() for href, number in links]
        for href, number in figures:
            items = reader.get(href)
            asked = href.partition("?")[2]
            rows = list(csv.DictReader(io.StringIO(_text(reader, f"/flow.csv?{asked}"))))
            listed = reader.get(f"/api/flow/items?{asked}").json()
            assert f"Export {number} item" in words(items)
            assert (len(rows), listed["total"]) == (int(number), int(number))
            spent = sum(float(row["step_seconds"]) for row in rows)
            assert spent == pytest.approx(sum(one["step_seconds"] for one in listed["items"]))
            if "show=finished" in href:
                step = next(one for one in answer["steps"] if _is(one, href))
                assert spent == pytest.approx(step["total_seconds"])
                assert step["done"]["n"] == int(number)
    assert bool(figures) is bool(answer["steps"])
    assert len(list(csv.DictReader(io.StringIO(text)))) == answer["total"] == len(answer["steps"])


def _text(reader: Client, address: str) -> str:
    return b"".join(reader.get(address).streaming_content).decode("utf-8-sig")


def _is(one: dict, href: str) -> bool:
    return f"of={one['plan']}&" in href and href.endswith(f"step={one['step']}")


def test_fr017_a_plan_that_nothing_is_called_is_said(reader: Client, work: list[Driver]) -> None:
    assert "No plan is called “Zebra”" in words(reader.get("/flow/steps/?of=Zebra"))
    assert reader.get("/flow/steps.csv?of=Zebra").status_code == 422
    assert reader.get("/api/flow/steps?of=Zebra").status_code == 422


@pytest.mark.parametrize("sort", ["step", "-working", "oldest", "-n", "longest", "-total"])
def test_fr013_steps_are_sorted_by_a_column(reader: Client, work: list[Driver], sort: str) -> None:
    plain = table(reader.get("/flow/steps/").content.decode())
    assert set(table(reader.get(f"/flow/steps/?sort={sort}").content.decode())) == set(plain)
