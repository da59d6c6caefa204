"""LC-9, LC-10: seed 003's PATCH accepts a workstream or archives it; nothing else, and nothing is deleted."""

import pytest
from django.test import Client

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HistoryEntry
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward(driver: Driver) -> Machine:
    """An agent that acts for the approver."""
    driver.start()
    executor = register_executor(name="steward", kind=ExecutorKind.AGENT, user=driver.cast.approver, now=NOON)
    return Machine.of(executor)


def address(driver: Driver) -> str:
    return f"/workstreams/{driver.reload().uuid}/"


def test_lc9_completed_accepts_a_finished_workstream(driver: Driver, steward: Machine) -> None:
    driver.finish()
    status, answer = steward.patch(address(driver), {"status": "completed"})
    assert (status, answer["status"]) == (200, "completed")
    assert answer["accepted_at"]
    assert driver.reload().accepted_by == driver.cast.approver
    entry = HistoryEntry.objects.get(action="workstream accepted")
    assert (entry.actor, entry.user) == ("steward (agent of anna)", driver.cast.approver)


def test_lc9_an_unfinished_workstream_is_not_accepted(driver: Driver, steward: Machine) -> None:
    status, answer = steward.patch(address(driver), {"status": "completed"})
    assert (status, answer["code"]) == (409, "not-finished")
    assert driver.reload().status == "active"


def test_lc9_accepting_needs_the_role_of_an_approver(driver: Driver, steward: Machine) -> None:
    driver.finish()
    worker = Machine.of(driver.cast.builder())
    status, answer = worker.patch(address(driver), {"status": "completed"})
    assert (status, answer["code"]) == (403, "not-allowed")
    assert driver.reload().status == "active"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"status": "archived", "reason": "Out of scope."}, "Out of scope."),
        ({"status": "archived"}, "Archived by"),
    ],
)
def test_lc10_archived_closes_without_losing_anything(
    driver: Driver, steward: Machine, body: dict[str, str], reason: str
) -> None:
    entries = HistoryEntry.objects.count()
    status, answer = steward.patch(address(driver), body)
    assert (status, answer["status"], len(answer["tasks"])) == (200, "archived", 6)
    assert HistoryEntry.objects.get(action="workstream archived").reason.startswith(reason)
    assert HistoryEntry.objects.count() == entries + 1


@pytest.mark.parametrize("body", [{"status": "active"}, {"status": "finished"}, {"status": 1}, {}, []])
def test_lc9_other_statuses_are_422(driver: Driver, steward: Machine, body: object) -> None:
    status, answer = steward.patch(address(driver), body)
    assert (status, answer["code"]) == (422, "invalid-input")
    assert answer["details"]["field"] in {"status", "body"}
    assert driver.reload().status == "active"


def test_lc10_a_workstream_cannot_be_deleted(driver: Driver, steward: Machine) -> None:
    status, answer = steward.call("DELETE", address(driver))
    assert (status, answer["code"]) == (405, "method-not-allowed")
    assert driver.reload().pk


def test_lc9_the_seeds_curl_command_without_a_token_is_refused(driver: Driver, steward: Machine) -> None:
    driver.finish()
    response = Client().patch(address(driver), {"status": "completed"}, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (401, "not-signed-in")
    assert driver.reload().status == "active"


def test_lc9_a_session_needs_a_csrf_token(driver: Driver, steward: Machine) -> None:
    driver.finish()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(driver.cast.approver)
    body = {"status": "completed"}
    refused = browser.patch(address(driver), body, content_type="application/json")
    assert (refused.status_code, driver.reload().status) == (403, "active")
    browser.cookies["csrftoken"] = "b" * 32
    accepted = browser.patch(
        address(driver), body, content_type="application/json", headers={"x-csrftoken": "b" * 32}
    )
    assert (accepted.status_code, driver.reload().status) == (200, "completed")


def test_lc9_one_address_is_a_page_for_people_and_json_for_machines(driver: Driver, steward: Machine) -> None:
    browser = Client()
    browser.force_login(driver.cast.observer)
    page = browser.get(address(driver), headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page["Content-Type"].startswith("text/html")
    assert "Card refunds" in page.content.decode()
    as_json = browser.get(address(driver), headers={"accept": "application/json"})
    assert as_json.json()["title"] == "Card refunds"
    assert steward.get(address(driver))[1]["title"] == "Card refunds"
    for response in (page, as_json):
        assert {"Accept", "Authorization"} <= set(response["Vary"].split(", "))
    stranger = Client().get(address(driver), headers={"accept": "text/html"})
    assert (stranger.status_code, stranger["Location"].split("?")[0]) == (302, "/accounts/login/")
