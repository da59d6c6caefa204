"""LC-1, LC-2: active, finished, accepted, and the signals beside them, as the portfolio shows them."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from orchestrator.core.errors import NotFinished
from orchestrator.services.workstreams import workstreams
from tests.cast import Cast, Driver


@pytest.fixture
def reader(client: Client, cast: Cast) -> Client:
    client.force_login(cast.observer)
    return client


def shown(reader: Client, driver: Driver) -> list[str]:
    """The words of the state chips in the workstream's row."""
    with time_machine.travel(driver.now, tick=False):
        text = reader.get("/portfolio/").content.decode()
    row = re.search(r"<tr data-row>(.*?)</tr>", text, re.DOTALL)
    assert row
    return re.findall(r'class="chip[^"]*">.*?<span>([^<]+)</span>', row[1])


def test_lc1_a_plan_in_review_is_not_active_yet(reader: Client, driver: Driver) -> None:
    driver.submit()
    assert shown(reader, driver) == ["Planning"]


def test_lc1_active_then_finished_then_accepted_by_an_explicit_act(
    reader: Client, cast: Cast, driver: Driver
) -> None:
    work = driver.start()
    assert shown(reader, driver) == ["Active"]
    with pytest.raises(NotFinished):
        workstreams.accept_workstream(workstream_id=work.pk, actor=cast.actor("approver"), now=driver.tick())
    driver.finish()
    assert shown(reader, driver) == ["Finished"]
    workstreams.accept_workstream(workstream_id=work.pk, actor=cast.actor("approver"), now=driver.tick())
    assert shown(reader, driver) == ["Accepted"]
    assert work.history.filter(action="workstream accepted", actor="anna").count() == 1


def test_lc2_blocked_stands_beside_the_state(reader: Client, driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    driver.fail("A1")
    assert shown(reader, driver) == ["Active", "Blocked"]


def test_lc2_stalled_after_more_than_seven_days_without_an_update(reader: Client, driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    updated = driver.reload().updated_at
    driver.now = updated + timedelta(days=7)
    assert shown(reader, driver) == ["Active"]
    driver.now += timedelta(seconds=1)
    assert shown(reader, driver) == ["Active", "Stalled"]


def test_lc2_oldies_when_nothing_is_done_after_more_than_seven_days(reader: Client, driver: Driver) -> None:
    created = driver.start().created_at
    driver.now = created + timedelta(days=7)
    assert shown(reader, driver) == ["Active"]
    driver.now += timedelta(seconds=1)
    assert shown(reader, driver) == ["Active", "Oldies"]
