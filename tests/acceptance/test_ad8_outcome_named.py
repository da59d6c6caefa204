"""AD-8: a step that declares outcomes is completed with one of them, on every interface; none is assumed."""

import asyncio
from functools import partial

import pytest
from django.db import connection
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, ResultFile
from tests.acceptance.producer import Producer, told
from tests.cast import Driver
from tests.machines import Machine, secret_of
from tests.mcp.connection import joined
from tests.web.pages import signed_in, words

PLAN = b"""# Plan: Test, then fix

- T1: Test it
  - Outcomes: clean, findings
  - Exit: the tests ran
- F1: Fix it (needs T1)
  - When: T1 is findings
  - Exit: the fix is committed
"""
NONE_NAMED = "T1 ends with one of its outcomes, and none is named: clean or findings."


@pytest.fixture
def held(driver: Driver) -> Assignment:
    driver.start(PLAN)
    return driver.claim("T1")


def evidence(driver: Driver) -> dict[str, str]:
    return {str(criterion.pk): "12 ran" for criterion in driver.task("T1").step.criteria.all()}


def _act(driver: Driver, name: str) -> str:
    return reverse("task-act", args=[driver.workstream.uuid, "T1", name])


def test_ad8_rest_refuses_a_completion_without_the_outcome(driver: Driver, held: Assignment) -> None:
    machine = Machine.of(held.executor)
    address = f"/api/attempts/{held.attempt_id}/complete"
    body = {"token": held.token, "evidence": evidence(driver), "outcome": "Ran."}
    status, refusal = machine.post(address, body)
    assert (status, refusal["code"], refusal["message"]) == (422, "invalid-input", NONE_NAMED)
    assert refusal["recovery"] == "Choose one of them as the result: clean or findings."
    assert driver.attempt("T1").status == AttemptStatus.RUNNING
    status, answer = machine.post(address, body | {"result": "Findings"})
    assert (status, answer["result"]) == (200, "findings")


def test_ad8_the_page_chooses_nothing_for_whoever_completes(driver: Driver) -> None:
    driver.start(PLAN)
    client, page = signed_in(driver.cast.contributor), driver.task("T1")
    act = partial(_act, driver)
    client.post(act("claim"), {"attempt": driver.attempt("T1").pk})
    held = Assignment.objects.get(attempt__task=page)
    shown = client.get(reverse("task", args=[driver.workstream.uuid, "T1"]))
    assert "Choose a result Clean Findings" in words(shown)
    assert "selected" not in shown.content.decode().split('id="result"')[1].split("</select>")[0]
    fields = {f"evidence-{key}": text for key, text in evidence(driver).items()}
    sent = {"attempt": held.attempt_id, "token": held.token, "outcome": "Ran.", **fields}
    refused = client.post(act("complete"), sent)
    assert refused.status_code == 422
    assert NONE_NAMED in words(refused)
    client.post(act("complete"), sent | {"result": "clean"})
    assert driver.attempt("T1").result == "clean"


def test_ad8_a_result_file_without_the_outcome_is_quarantined(
    driver: Driver, held: Assignment, settings: Settings
) -> None:
    producer = Producer(settings.WORKSPACE_DIR, held.executor.name)
    members = {"outcome": "Ran.", "evidence": {"the tests ran": "12 ran"}}
    producer.push({"1.result.json": told(held, **members)})
    driver.advance()
    assert NONE_NAMED in ResultFile.objects.get().problem
    producer.push({"2.result.json": told(held, result="findings", **members)})
    driver.advance()
    assert driver.attempt("T1").result == "findings"


@pytest.mark.django_db(transaction=True)
def test_ad8_mcp_refuses_a_completion_without_the_outcome(driver: Driver) -> None:
    driver.start(PLAN)
    held = driver.claim("T1")
    secret, arguments = secret_of(held.executor), {"attempt_id": held.attempt_id, "token": held.token}
    proof = evidence(driver)
    connection.close()

    async def agent() -> None:
        async with joined(secret) as session:
            refused = await session.refused("complete_task", evidence=proof, outcome="Ran.", **arguments)
            assert refused["message"] == NONE_NAMED
            done = await session.ok(
                "complete_task", evidence=proof, outcome="Ran.", result="findings", **arguments
            )
            assert done["result"] == "findings"

    asyncio.run(agent())
