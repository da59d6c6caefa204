"""FR-021, AS-6: work goes back with a reason, is proved again, and rework is counted per step and per
workstream.
"""

import json

import pytest
from django.urls import reverse

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Attempt, CriterionCheck, HistoryEntry
from tests.acceptance.versions import ONE, approve, next_version
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words


def send_back(driver: Driver, key: str, reason: str = "Rounding is wrong.") -> tuple[int, dict]:
    machine = Machine.of(driver.cast.builder(f"sender-{Attempt.objects.count()}-{key}"))
    answer = machine.post(f"/api/tasks/{driver.task(key).pk}/send-back", {"reason": reason})
    driver.advance()
    return answer


def brief(driver: Driver, key: str) -> dict:
    return Machine.of(driver.cast.builder(f"reader-{driver.attempt(key).pk}")).get(
        f"/api/tasks/{driver.task(key).pk}/"
    )[1]


def facts(driver: Driver) -> dict:
    return Machine.of(driver.cast.builder("counter")).get(f"/api/workstreams/{driver.workstream.uuid}/")[1]


def test_fr021_a_complete_step_goes_back_while_another_lane_runs(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    driver.claim("B1")
    status, answer = send_back(driver, "A1")
    assert (status, answer["task"]["status"]) == (200, "pending")
    assert driver.attempt("B1").status == AttemptStatus.RUNNING
    assert driver.ready() == ["A1"]


def test_fr021_everything_behind_the_step_is_verified_again(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    driver.sign("MP1")
    driver.do("C1")
    send_back(driver, "A2")
    entry = json.loads(HistoryEntry.objects.get(action="work sent back").leaf)
    assert entry["data"]["became"] == dict.fromkeys(("A2", "MP1", "C1", "D1"), "pending")
    assert driver.task("B1").status == TaskStatus.COMPLETE
    assert driver.ready() == ["A2"]
    assert driver.finish().finished_at is not None
    assert [driver.attempt(key).number for key in ("A1", "A2", "B1", "MP1", "C1", "D1")] == [1, 2, 1, 2, 2, 2]


def test_fr021_rework_is_counted_where_a_result_was_thrown_away(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    send_back(driver, "A1")
    driver.do("A1")
    send_back(driver, "A1")
    assert [driver.task(key).rework for key in ("A1", "A2", "B1", "MP1", "C1")] == [2, 1, 0, 0, 0]
    counted = facts(driver)
    assert counted["rework"] == {"sent_back": 2, "steps_redone": 3}
    assert {task["key"]: task["rework"] for task in counted["tasks"]}["A1"] == 2
    text = words(signed_in(driver.cast.observer).get(reverse("workstream", args=[driver.workstream.uuid])))
    assert "2 times, 3 results redone" in text
    assert "attempt 3, sent back 2 times" in text


def test_fr021_work_that_a_migration_has_done_again_was_not_sent_back(driver: Driver) -> None:
    driver.start(ONE)
    driver.do("A1")
    redefined = ONE.replace(b"A1: Ledger entries for refunds", b"A1: Ledger entries for all cards")
    approve(driver, next_version(driver, redefined), StepMapping(("A1",), ("A1",), redo=True))
    assert facts(driver)["rework"] == {"sent_back": 0, "steps_redone": 1}


def test_fr021_criteria_are_proved_again_and_the_brief_says_why(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "A2")
    send_back(driver, "A1", "Rounding is wrong.")
    told = brief(driver, "A1")["rework"]
    assert (told["to"], told["reason"], told["times"]) == ("A1", "Rounding is wrong.", 1)
    assert [(c["text"], c["evidence"]) for c in told["criteria"]] == [
        ("unit tests pass", "seen: unit tests pass")
    ]
    assert not CriterionCheck.objects.filter(attempt=driver.attempt("A1")).exists()
    driver.claim("A1")
    machine = Machine.of(driver.attempt("A1").assignment.executor)
    address = f"/api/attempts/{driver.attempt('A1').pk}/complete"
    status, refusal = machine.post(address, {"token": driver.attempt("A1").assignment.token})
    assert (status, refusal["code"]) == (422, "criteria-unmet")
    driver.complete("A1")
    assert brief(driver, "A1")["rework"] is None, "proved again"
    assert brief(driver, "A2")["rework"]["to"] == "A1"


def test_fr021_the_task_page_names_reason_person_and_criteria(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "A2")
    client = signed_in(driver.cast.reviewer)
    back = reverse("task-act", args=[driver.workstream.uuid, "A1", "send-back"])
    client.post(back, {"reason": "Rounding is wrong."})
    text = words(client.get(reverse("task", args=[driver.workstream.uuid, "A2"])))
    assert "rita sent work back to A1" in text
    assert "Rounding is wrong." in text
    assert (
        "To be proved again; earlier evidence no longer counts: report shows refunds in attempt 1: seen:"
        in text
    )
    never = words(client.get(reverse("task", args=[driver.workstream.uuid, "C1"])))
    assert "To continue" not in never


def test_fr021_an_open_blocker_keeps_its_task_blocked(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1")
    client = signed_in(driver.cast.reviewer)
    declare = reverse("task-act", args=[driver.workstream.uuid, "A2", "declare-blocker"])
    client.post(declare, {"kind": "external", "note": "The ledger is down."})
    send_back(driver, "A1")
    assert driver.task("A2").status == TaskStatus.BLOCKED
    assert driver.reload().blocked_tasks == 1


@pytest.mark.parametrize(
    ("key", "reason", "status"), [("A1", " ", 422), ("A2", "Why not.", 409), ("MP1", "No.", 409)]
)
def test_fr021_bad_send_backs_change_nothing(driver: Driver, key: str, reason: str, status: int) -> None:
    driver.start()
    driver.do("A1")
    before = HistoryEntry.objects.filter(workstream=driver.workstream).count()
    assert send_back(driver, key, reason)[0] == status
    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert HistoryEntry.objects.filter(workstream=driver.workstream).count() == before


def test_fr021_a_running_step_behind_it_is_not_pre_empted(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    driver.claim("A2")
    status, refusal = send_back(driver, "A1")
    assert (status, refusal["code"]) == (409, "wrong-state")
    assert "A2 is running" in refusal["message"]
