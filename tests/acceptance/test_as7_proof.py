"""AS-7, FR-021, AS-6: a completion says how it knows: evidence for every criterion, after rework for what a
step starts from too, and a sentence where a step has no criteria; on every interface.
"""

import asyncio

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, CriterionCheck, ResultFile
from tests.acceptance.producer import Producer, told
from tests.cast import Driver
from tests.machines import Machine, secret_of
from tests.mcp.connection import joined
from tests.web.pages import control, signed_in, words

BARE = b"""# Plan: Tidy up

- T1: Tidy the cellar
- T2: Tidy the attic (needs T1)
  - Entry: the ladder is free
  - Exit: the attic is swept
"""
NOTHING_SAID = "T1 has no exit criteria, and nothing says what was done and how it was checked."
SENTENCE = "Swept the cellar; looked into every corner."


def sender(driver: Driver, key: str) -> tuple[Machine, str, dict[str, object]]:
    """The machine that holds the step, the address of its completion, and its token."""
    held = Assignment.objects.select_related("executor").get(attempt=driver.attempt(key))
    address = f"/api/attempts/{held.attempt_id}/complete"
    return Machine.of(held.executor), address, {"token": held.token}


def act(driver: Driver, client: Client, key: str, name: str, **fields: object) -> HttpResponse:
    return client.post(reverse("task-act", args=[driver.workstream.uuid, key, name]), fields)


def held_on_page(driver: Driver, client: Client, key: str) -> dict[str, int]:
    act(driver, client, key, "claim", attempt=driver.attempt(key).pk)
    held = Assignment.objects.get(attempt=driver.attempt(key))
    return {"attempt": held.attempt_id, "token": held.token}


def test_as7_rest_asks_a_sentence_of_a_step_without_exit_criteria(driver: Driver) -> None:
    driver.start(BARE)
    driver.claim("T1")
    machine, address, body = sender(driver, "T1")
    status, refusal = machine.post(address, body | {"outcome": " "})
    assert (status, refusal["code"], refusal["message"]) == (422, "criteria-unmet", NOTHING_SAID)
    assert refusal["recovery"].startswith("Say both in one sentence, as the outcome")
    assert driver.attempt("T1").status == AttemptStatus.RUNNING
    assert machine.post(address, body | {"outcome": SENTENCE})[0] == 200
    assert driver.attempt("T1").outcome == SENTENCE


def test_as7_the_page_asks_a_sentence_of_a_step_without_exit_criteria(driver: Driver) -> None:
    driver.start(BARE)
    client = signed_in(driver.cast.contributor)
    held = held_on_page(driver, client, "T1")
    page = client.get(reverse("task", args=[driver.workstream.uuid, "T1"]))
    assert "What was done, and how it was checked" in words(page)
    assert "required" in control(page, "outcome")
    refused = act(driver, client, "T1", "complete", **held)
    assert refused.status_code == 422
    assert NOTHING_SAID in words(refused)
    act(driver, client, "T1", "complete", outcome=SENTENCE, **held)
    assert driver.attempt("T1").status == AttemptStatus.COMPLETED


def test_as7_a_result_file_says_what_was_done(driver: Driver, settings: Settings) -> None:
    driver.start(BARE)
    held = driver.claim("T1")
    producer = Producer(settings.WORKSPACE_DIR, held.executor.name)
    producer.push({"1.result.json": told(held)})
    driver.advance()
    assert NOTHING_SAID in ResultFile.objects.get().problem
    producer.push({"2.result.json": told(held, outcome=SENTENCE)})
    driver.advance()
    assert driver.attempt("T1").outcome == SENTENCE


@pytest.mark.django_db(transaction=True)
def test_as7_mcp_asks_a_sentence_of_a_step_without_exit_criteria(driver: Driver) -> None:
    driver.start(BARE)
    held = driver.claim("T1")
    secret, claim = secret_of(held.executor), {"attempt_id": held.attempt_id, "token": held.token}
    connection.close()

    async def agent() -> None:
        async with joined(secret) as session:
            refused = await session.refused("complete_task", evidence={}, **claim)
            assert (refused["code"], refused["message"]) == ("criteria-unmet", NOTHING_SAID)
            await session.ok("complete_task", evidence={}, outcome=SENTENCE, **claim)

    asyncio.run(agent())


def reworked(driver: Driver) -> None:
    """T2 was done once, and is about to be done again."""
    driver.start(BARE)
    driver.do("T1", "T2")
    machine = Machine.of(driver.cast.builder("sender"))
    assert machine.post(f"/api/tasks/{driver.task('T2').pk}/send-back", {"reason": "Dusty."})[0] == 200
    driver.advance()


def ids(driver: Driver) -> dict[str, int]:
    return {criterion.kind: criterion.pk for criterion in driver.task("T2").step.criteria.all()}


def test_fr021_a_first_try_proves_what_it_exits_by(driver: Driver) -> None:
    driver.start(BARE)
    driver.do("T1")
    driver.claim("T2")
    machine, address, body = sender(driver, "T2")
    status, _ = machine.post(address, body | {"evidence": {ids(driver)["exit"]: "swept"}})
    assert status == 200


def test_fr021_as6_the_claim_says_which_criteria_are_asked(driver: Driver) -> None:
    reworked(driver)
    machine = Machine.of(driver.cast.builder("again"))
    claimed = machine.post(f"/api/attempts/{driver.attempt('T2').pk}/claim")[1]
    assert {one["kind"]: one["asked"] for one in claimed["criteria"]} == {"entry": True, "exit": True}
    first = machine.get(f"/api/tasks/{driver.task('T1').pk}/")[1]
    assert first["criteria"] == []
    driver.start(BARE)
    fresh = machine.get(f"/api/tasks/{driver.task('T2').pk}/")[1]
    assert {one["kind"]: one["asked"] for one in fresh["criteria"]} == {"entry": False, "exit": True}


def test_fr021_as6_who_continues_reads_each_criterion_once(driver: Driver) -> None:
    reworked(driver)
    machine = Machine.of(driver.cast.builder("again"))
    status, answer = machine.get(f"/api/tasks/{driver.task('T2').pk}/continue")
    assert (status, answer["markdown"].count("the ladder is free")) == (200, 1)
    assert f"Criterion {ids(driver)['entry']}: the ladder is free" in answer["markdown"]
    driver.start(BARE)
    fresh = machine.get(f"/api/tasks/{driver.task('T2').pk}/continue")[1]["markdown"]
    assert "Criterion, entry: the ladder is free" in fresh, "what is not to be proved is still said"


def test_fr021_as6_rest_asks_what_a_reworked_step_starts_from(driver: Driver) -> None:
    reworked(driver)
    driver.claim("T2")
    machine, address, body = sender(driver, "T2")
    proof = {str(ids(driver)["exit"]): "swept twice"}
    status, refusal = machine.post(address, body | {"evidence": proof})
    assert (status, refusal["code"]) == (422, "criteria-unmet")
    assert refusal["message"].startswith("Without evidence: the ladder is free (criterion ")
    assert refusal["details"]["criteria"] == str(ids(driver)["entry"])
    again = {str(ids(driver)["entry"]): "it leans at the wall"}
    assert machine.post(address, body | {"evidence": proof | again})[0] == 200
    checks = CriterionCheck.objects.filter(attempt=driver.attempt("T2")).order_by("criterion__kind")
    assert [check.evidence for check in checks] == ["it leans at the wall", "swept twice"]


def test_fr021_as6_the_page_asks_what_a_reworked_step_starts_from(driver: Driver) -> None:
    reworked(driver)
    client, entry, leave = signed_in(driver.cast.contributor), ids(driver)["entry"], ids(driver)["exit"]
    held = held_on_page(driver, client, "T2")
    page = words(client.get(reverse("task", args=[driver.workstream.uuid, "T2"])))
    assert "Evidence that it could start again: the ladder is free" in page
    assert "the ladder is free before it starts again" in page
    fields = {f"evidence-{leave}": "swept twice", **held}
    refused = act(driver, client, "T2", "complete", **fields)
    assert "Without evidence: the ladder is free (criterion " in words(refused)
    act(driver, client, "T2", "complete", **fields, **{f"evidence-{entry}": "it leans at the wall"})
    assert driver.attempt("T2").status == AttemptStatus.COMPLETED


def test_fr021_as6_a_result_file_proves_what_a_reworked_step_starts_from(
    driver: Driver, settings: Settings
) -> None:
    reworked(driver)
    held = driver.claim("T2", driver.cast.builder("again"))
    producer = Producer(settings.WORKSPACE_DIR, "again")
    proof = {"the attic is swept": "swept twice"}
    producer.push({"1.result.json": told(held, evidence=proof)})
    driver.advance()
    assert "Without evidence: the ladder is free (criterion " in ResultFile.objects.get().problem
    proof |= {"the ladder is free": "it leans at the wall"}
    producer.push({"2.result.json": told(held, evidence=proof)})
    driver.advance()
    assert driver.attempt("T2").status == AttemptStatus.COMPLETED


def test_fr021_as6_the_workstream_counts_what_is_verified_again(driver: Driver) -> None:
    reworked(driver)
    page = words(signed_in(driver.cast.observer).get(reverse("workstream", args=[driver.workstream.uuid])))
    assert "2 of them to verify again" in page
