"""DC-5: a part that refreshes itself gets what changed, and asks for nothing when nothing can change."""

import gzip
import re

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from orchestrator.services.people.interventions import flag_for_human
from orchestrator.services.workstreams.workstreams import archive_workstream
from tests.acceptance.test_dc1_page_bytes import plan
from tests.cast import Driver
from tests.web.pages import control, htmx, signed_in

pytestmark = pytest.mark.django_db
PARTS = {"/": "results", "/gates/": "results", "/interventions/": "cards"}


def ask(driver: Driver, key: str, note: str = "Which rounding?") -> None:
    flag_for_human(
        task_id=driver.task(key).pk, note=note, actor=driver.cast.actor("contributor"), now=driver.tick()
    )


def pieces(page: HttpResponse) -> str:
    """What the browser would say that it has."""
    found = re.findall(r'id="([\w-]+)" data-piece="(\w+)"', page.content.decode())
    return " ".join(f"{name}={digest}" for name, digest in found)


def refreshed(client: Client, page: HttpResponse, part: str) -> HttpResponse:
    again = re.search(r'hx-get="([^"]*stood=[^"]*)"', page.content.decode())
    assert again
    return client.get(again[1].replace("&amp;", "&"), HTTP_X_PIECES=pieces(page), **htmx(part))


def sent(response: HttpResponse) -> str:
    """What is new in it: without the places of pieces that stay."""
    return re.sub(r'<\w+ id="[\w-]+" hx-preserve></\w+>', "", response.content.decode())


@pytest.mark.parametrize("address", ["/", "/interventions/"])
def test_dc5_a_list_gets_the_rows_that_changed(driver: Driver, address: str) -> None:
    driver.start(plan(batches=1, threads=4, steps=1))
    for key in ("A1", "B1", "C1"):
        ask(driver, key, f"About {key}?")
    client = signed_in(driver.cast.reviewer)
    with time_machine.travel(driver.now, tick=False):
        page = client.get(address)
        ask(driver, "D1", "About D1?")
        answer = refreshed(client, page, PARTS[address])
    text = sent(answer)
    assert "About D1?" in text
    assert "About A1?" not in text
    assert "About B1?" not in text
    assert answer.content.decode().count("hx-preserve") == 3


def test_dc5_a_board_gets_the_rows_that_changed(driver: Driver) -> None:
    """Of five hundred tasks one was claimed: a refresh is a fraction of the page."""
    driver.start(plan())
    client = signed_in(driver.cast.approver)
    address = f"/workstreams/{driver.reload().uuid}/"
    with time_machine.travel(driver.now, tick=False):
        page = client.get(address)
        assert refreshed(client, page, "board").status_code == 204
        driver.claim("A1")
        answer = refreshed(client, page, "board")
    text = sent(answer)
    assert f'id="row-{driver.task("A1").pk}"' in text
    assert f'id="row-{driver.task("B1").pk}"' not in text
    assert len(gzip.compress(answer.content)) <= 4_000, len(gzip.compress(answer.content))


def test_dc5_what_stands_beside_the_board_is_brought_up_to_date(driver: Driver) -> None:
    """Whoever watches the last task end may accept the workstream without loading the page again."""
    driver.start()
    client = signed_in(driver.cast.approver)
    with time_machine.travel(driver.now, tick=False):
        page = client.get(f"/workstreams/{driver.reload().uuid}/")
        assert " disabled" in control(page, "accept")
        assert "open tasks left" in page.content.decode()
    driver.finish()
    with time_machine.travel(driver.now, tick=False):
        text = refreshed(client, page, "board").content.decode()
    assert re.search(r'<section id="acceptance" data-piece="\w+" hx-swap-oob="true"', text)
    assert "open tasks left" not in text


@pytest.mark.parametrize("address", PARTS)
def test_dc5_nothing_polls_when_nothing_can_change(driver: Driver, address: str) -> None:
    client = signed_in(driver.cast.approver)
    assert "data-poll" not in client.get(address).content.decode(), "nothing is there"
    row = driver.start()
    assert 'data-poll="calm"' in client.get(address).content.decode()
    archive_workstream(
        workstream_id=row.pk, reason="Not wanted.", actor=driver.cast.actor("approver"), now=driver.tick()
    )
    assert "data-poll" not in client.get(address).content.decode(), "all work is closed"
