"""B31, AD-7: the same key and body answer as the first time and have one effect; another body is 409."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import connection

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.models import Attempt, HistoryEntry, IdempotencyKey
from tests.cast import Driver
from tests.machines import Machine


@pytest.mark.django_db
def test_the_same_call_twice_claims_once(driver: Driver, machine: Machine) -> None:
    address = f"/api/attempts/{driver.attempt('A1').pk}/claim"
    first = machine.post(address, key="claim-1")
    entries = HistoryEntry.objects.count()
    again = machine.post(address, key="claim-1")
    assert first[0] == 200
    assert again == first
    assert HistoryEntry.objects.count() == entries
    assert driver.task("A1").last_token == 1


@pytest.mark.django_db
def test_without_a_key_another_claim_meets_the_holder(driver: Driver, machine: Machine) -> None:
    address = f"/api/attempts/{driver.attempt('A1').pk}/claim"
    assert machine.post(address)[0] == 200
    status, answer = Machine.of(driver.cast.builder("builder-2")).post(address)
    assert (status, answer["code"], answer["details"]["holder"]) == (409, "already-claimed", "builder-1")


@pytest.mark.django_db
def test_b31_the_same_key_with_another_body_is_409(driver: Driver, machine: Machine) -> None:
    address = f"/api/attempts/{driver.attempt('A1').pk}/report"
    driver.claim("A1", driver.cast.builder())
    assert machine.post(address, {"token": 1, "breadcrumb": "read the code"}, key="k")[0] == 200
    status, answer = machine.post(address, {"token": 1, "breadcrumb": "wrote a test"}, key="k")
    assert (status, answer["code"]) == (409, "idempotency-key-reused")
    assert driver.task("A1").breadcrumb == "read the code"


@pytest.mark.django_db
def test_b31_the_same_key_at_another_address_is_409(driver: Driver, machine: Machine) -> None:
    assert machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim", key="k")[0] == 200
    status, answer = machine.post(f"/api/attempts/{driver.attempt('B1').pk}/claim", key="k")
    assert (status, answer["code"]) == (409, "idempotency-key-reused")
    assert driver.attempt("B1").status == "queued"


@pytest.mark.django_db
def test_keys_of_different_executors_do_not_meet(driver: Driver, machine: Machine) -> None:
    other = Machine.of(driver.cast.builder("builder-2"))
    assert machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim", key="k")[0] == 200
    assert other.post(f"/api/attempts/{driver.attempt('B1').pk}/claim", key="k")[0] == 200


@pytest.mark.django_db
def test_a_refusal_is_the_answer_that_is_repeated(driver: Driver, machine: Machine) -> None:
    driver.claim("A1")
    address = f"/api/attempts/{driver.attempt('A1').pk}/claim"
    first = machine.post(address, key="k")
    driver.complete("A1")
    assert first[0] == 409
    assert machine.post(address, key="k") == first


@pytest.mark.django_db
def test_a_refusal_that_says_try_again_is_not_kept(driver: Driver, machine: Machine, monkeypatch) -> None:
    address = f"/api/attempts/{driver.attempt('A1').pk}/claim"

    def full(**_: object) -> None:
        raise WorkspaceUnavailable("The disk is full.")

    with monkeypatch.context() as disk:
        disk.setattr("orchestrator.services.work.claims.announce", full)
        status, answer = machine.post(address, key="k")
    assert (status, answer["code"]) == (503, "workspace-unavailable")
    assert driver.attempt("A1").status == "queued"
    assert machine.post(address, key="k")[0] == 200


@pytest.mark.django_db
def test_a_completion_repeated_after_the_answer_was_lost_has_one_artifact(
    driver: Driver, machine: Machine
) -> None:
    attempt = driver.attempt("A1")
    _, claimed = machine.post(f"/api/attempts/{attempt.pk}/claim")
    body = {"token": claimed["token"], "evidence": {str(c["id"]): "ran them" for c in claimed["criteria"]}}
    first = machine.post(f"/api/attempts/{attempt.pk}/complete", body, key="done")
    again = machine.post(f"/api/attempts/{attempt.pk}/complete", body, key="done")
    assert first[0] == 200
    assert again == first
    assert attempt.artifacts.filter(event="attempt-completed").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", [" ", "a b", "ä", "x" * 121])
def test_a_key_that_is_no_key_is_refused(driver: Driver, machine: Machine, key: str) -> None:
    status, answer = machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim", key=key)
    assert (status, answer["details"]["field"]) == (422, "Idempotency-Key")
    assert driver.attempt("A1").status == "queued"


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_time_has_one_effect(driver: Driver, machine: Machine, live_server) -> None:
    address = f"{live_server.url}/api/attempts/{driver.attempt('A1').pk}/claim"
    headers = {"authorization": f"Bearer {machine.secret}", "idempotency-key": "together"}
    callers = 16 if connection.vendor == "postgresql" else 6
    start = threading.Barrier(callers)

    def call(_: int) -> httpx.Response:
        start.wait()
        return httpx.post(address, headers=headers, timeout=60)

    with ThreadPoolExecutor(callers) as pool:
        answers = list(pool.map(call, range(callers)))
    assert [a.status_code for a in answers] == [200] * callers
    assert len({a.text for a in answers}) == 1
    assert IdempotencyKey.objects.count() == 1
    assert Attempt.objects.get(task=driver.task("A1")).assignment.token == 1
