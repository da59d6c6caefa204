"""BX-6: the dashboard as a page says what the file says; batches fold, a filter finds, a refresh is small."""

import re

import pytest
from django.test import Client

from orchestrator.queries.work.projection import Board
from tests.acceptance.workspace_files import Files
from tests.cast import PLAN, Driver
from tests.web.pages import htmx, signed_in, words

DASHBOARD = "workstreams/card-refunds/EXECUTION-DASHBOARD.md"


@pytest.fixture
def client(driver: Driver) -> Client:
    driver.start()
    driver.do("A1")
    return signed_in(driver.cast.observer)


def page(driver: Driver) -> str:
    return f"/workstreams/{driver.reload().uuid}/dashboard/"


def many(tasks: int) -> bytes:
    """A plan whose second batch has so many steps, one behind the other."""
    steps = "\n".join(f"- E{n}: Step {n}\n  - Exit: done" for n in range(1, tasks + 1))
    return PLAN.replace(
        b"##### Batch 99: document",
        f"##### Batch 03: many\n\n###### Thread 01: long\n- Role: contributor\n{steps}\n\n"
        "##### Batch 99: document".encode(),
    )


def test_bx6_page_and_file_say_the_same(driver: Driver, files: Files, client: Client) -> None:
    shown, file = words(client.get(page(driver))), files.text(DASHBOARD)
    assert "[MP1] → C1 → D1" in file
    for said in ("A2 → [MP1] → C1 → D1", "waiting on A2 + B1", "Will unlock: C1", "1 of 6 tasks complete"):
        assert said.replace("tasks ", "") in file.replace("**Tasks:** ", "").replace("tasks ", "")
        assert said in shown
    name = re.search(r"Current bottleneck: \*\*(\w+)\*\*", file)
    assert name is not None
    assert f"Current bottleneck: {name[1]} " in shown


def test_bx6_filters_find_tasks_by_state_and_by_text(driver: Driver, client: Client) -> None:
    shown = words(client.get(page(driver), {"mark": "Done"}))
    assert "1 found" in shown
    assert "Ledger entries for refunds Done" in shown
    assert "Gateway call Runnable" not in shown
    found = words(client.get(page(driver), {"q": "MANUAL"}))
    assert "Write the manual" in found
    assert "No task fits" in words(client.get(page(driver), {"q": "nothing like it"}))


def test_bx6_a_large_board_loads_a_batch_when_it_is_opened(driver: Driver) -> None:
    driver.start(many(80))
    client = signed_in(driver.cast.observer)
    whole = client.get(page(driver))
    assert "Step 41" not in words(whole)
    assert "Show its tasks" in words(whole)
    part = client.get(page(driver), {"batch": "4"}, **htmx("rows-4"))
    assert part.content.strip().startswith(b'<div id="rows-4"')
    assert "Step 41" in words(part)
    assert "Step 41" in words(client.get(page(driver), {"batch": "4"})), "without a script too"
    assert "Step 41" in words(client.get(page(driver), {"q": "E41"}))


def test_bx6_a_refresh_sends_nothing_when_nothing_changed(driver: Driver, client: Client) -> None:
    address = page(driver)
    part = client.get(address, {"seen": "0"}, **htmx("board"))
    seen = re.search(rb"seen=([0-9a-f]{16})", part.content)
    assert seen is not None
    again = client.get(address, {"seen": seen[1].decode()}, **htmx("board"))
    assert (again.status_code, again.content) == (204, b"")
    driver.do("A2")
    assert client.get(address, {"seen": seen[1].decode()}, **htmx("board")).status_code == 200


def test_bx6_nothing_asks_again_when_nothing_can_change(driver: Driver, client: Client) -> None:
    assert "data-poll" in client.get(page(driver)).content.decode()
    driver.finish()
    assert "data-poll" not in client.get(page(driver)).content.decode()
    board = f"/workstreams/{driver.reload().uuid}/"
    assert "data-poll" not in client.get(board).content.decode()


def test_bx6_before_approval_there_is_no_task(driver: Driver) -> None:
    driver.submit()
    assert Board.of(driver.reload()) is None
    assert "No task yet" in words(signed_in(driver.cast.observer).get(page(driver)))
