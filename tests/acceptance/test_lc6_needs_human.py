"""LC-6 through the API: the seed's flag, its filter, and the note without which nothing is flagged."""

import pytest
from django.test import Client

from orchestrator.models import HistoryEntry
from tests.cast import Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine(driver: Driver) -> Machine:
    driver.start()
    return Machine.of(driver.cast.builder())


def test_lc6_flagged_tasks_are_found_by_the_seeds_filter(driver: Driver, machine: Machine) -> None:
    assert machine.get("/tasks/?needs_human=true") == (200, {"count": 0, "items": []})
    body = {"needs_human": True, "intervention_note": "Choose the ledger account."}
    status, answer = machine.patch(f"/tasks/{driver.task('B1').pk}/", body)
    assert (status, answer["task"]["needs_human"]) == (200, True)

    status, found = machine.get("/tasks/?needs_human=true")
    assert [(t["key"], t["intervention_note"]) for t in found["items"]] == [
        ("B1", "Choose the ledger account.")
    ]
    assert machine.get("/tasks/?needs_human=false")[1]["count"] == 5
    assert driver.task("B1").intervention_note == "Choose the ledger account."
    entry = HistoryEntry.objects.get(action="flagged for a human")
    assert (entry.actor, entry.user, entry.reason) == (
        "builder-1 (agent of carl)",
        driver.cast.contributor,
        "Choose the ledger account.",
    )


@pytest.mark.parametrize("body", [{"needs_human": True}, {"needs_human": True, "intervention_note": " \n"}])
def test_lc6_a_flag_without_a_note_is_422(driver: Driver, machine: Machine, body: dict[str, object]) -> None:
    status, answer = machine.patch(f"/tasks/{driver.task('B1').pk}/", body)
    assert status == 422
    assert (answer["code"], answer["details"]) == ("note-missing", {"field": "intervention_note"})
    assert "intervention note" in answer["recovery"]
    assert not driver.task("B1").needs_human
    assert not HistoryEntry.objects.filter(action="flagged for a human").exists()


def test_lc6_clearing_the_flag_hands_the_answer_to_the_executor(driver: Driver, machine: Machine) -> None:
    address = f"/tasks/{driver.task('B1').pk}/"
    machine.patch(address, {"needs_human": True, "intervention_note": "Which account?"})
    status, cleared = machine.patch(address, {"needs_human": False, "answer": "Account 4400."})
    assert (status, cleared["task"]["needs_human"], cleared["task"]["intervention_note"]) == (200, False, "")
    answered = machine.get(address)[1]["interventions"]
    assert [(i["note"], i["answer"]) for i in answered] == [("Which account?", "Account 4400.")]
    assert machine.get("/tasks/?needs_human=true")[1]["count"] == 0
    assert HistoryEntry.objects.get(action="intervention done").reason == "Account 4400."


def test_lc6_a_flagged_task_is_not_claimable(driver: Driver, machine: Machine) -> None:
    keys = [task["key"] for task in machine.get("/tasks/?claimable=true")[1]["items"]]
    assert keys == ["A1", "B1"]
    machine.post(f"/api/tasks/{driver.task('A1').pk}/flag", {"intervention_note": "Wait."})
    assert [task["key"] for task in machine.get("/tasks/?claimable=true")[1]["items"]] == ["B1"]
    status, answer = machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")
    assert (status, answer["code"]) == (409, "wrong-state")


def test_lc6_people_who_open_the_address_get_the_page(driver: Driver, machine: Machine) -> None:
    browser = Client()
    browser.force_login(driver.cast.contributor)
    page = browser.get("/tasks/?needs_human=true", headers={"accept": "text/html"})
    assert (page.status_code, page["Location"]) == (302, "/interventions/")
    assert {"Accept", "Authorization"} <= set(page["Vary"].split(", "))
    as_json = browser.get("/tasks/?needs_human=true", headers={"accept": "application/json"})
    assert as_json.json() == {"count": 0, "items": []}
