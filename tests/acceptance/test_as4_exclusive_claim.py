"""AS-4, F27: whoever claims an attempt has it alone, however many ask through HTTP at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import connection

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, HistoryEntry
from tests.cast import Driver
from tests.machines import Machine, secret_of

pytestmark = pytest.mark.django_db(transaction=True)


def crowd() -> tuple[int, int]:
    """How many claim, and how many of them at the same instant; SQLite lets one write at a time."""
    return (100, 50) if connection.vendor == "postgresql" else (100, 10)


def test_as4_f27_one_of_a_hundred_claimers_wins_and_the_others_learn_who(driver: Driver, live_server) -> None:
    driver.start()
    attempt = driver.attempt("A1")
    racers, at_once = crowd()
    secrets = [secret_of(driver.cast.builder(f"racer-{n}")) for n in range(racers)]
    address = f"{live_server.url}/api/attempts/{attempt.pk}/claim"
    start = threading.Barrier(at_once)

    def race(secret: str) -> httpx.Response:
        start.wait()
        return httpx.post(address, headers={"authorization": f"Bearer {secret}"}, timeout=120)

    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(race, secrets))

    winners = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    assert len(winners) == 1, [answer.status_code for answer in answers]
    holder = f"racer-{winners[0]}"
    losers = [answer for n, answer in enumerate(answers) if n != winners[0]]
    assert {answer.status_code for answer in losers} == {409}
    assert {answer.json()["code"] for answer in losers} == {"already-claimed"}
    assert {answer.json()["details"]["holder"] for answer in losers} == {holder}
    assignment = Assignment.objects.get(attempt=attempt)
    assert (assignment.executor.name, assignment.token) == (holder, answers[winners[0]].json()["token"])
    assert HistoryEntry.objects.filter(action="attempt claimed").count() == 1


def test_as4_one_executor_that_asks_for_two_attempts_at_once_gets_one(driver: Driver, live_server) -> None:
    driver.start()
    secret = secret_of(driver.cast.builder("greedy"))
    start = threading.Barrier(2)

    def race(attempt_id: int) -> httpx.Response:
        start.wait()
        address = f"{live_server.url}/api/attempts/{attempt_id}/claim"
        return httpx.post(address, headers={"authorization": f"Bearer {secret}"}, timeout=60)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(race, [driver.attempt(key).pk for key in ("A1", "B1")]))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [a.json()["code"] for a in answers if a.status_code == 409] == ["executor-busy"]
    assert Assignment.objects.filter(released_at=None).count() == 1


def test_as4_the_attempt_stays_with_its_holder_until_it_ends(driver: Driver) -> None:
    driver.start()
    attempt = driver.attempt("A1")
    holder, other = Machine.of(driver.cast.builder("holder")), Machine.of(driver.cast.builder("other"))
    claim, fail = f"/api/attempts/{attempt.pk}/claim", f"/api/attempts/{attempt.pk}/fail"
    token = holder.post(claim)[1]["token"]
    assert other.post(claim)[0] == 409
    assert holder.post(fail, {"token": token, "error": "It broke."})[0] == 200

    status, answer = other.post(claim)
    assert (status, answer["code"]) == (409, "wrong-state")
    status, _ = other.post(f"/api/tasks/{driver.task('A1').pk}/requeue", {"reason": "Try once more."})
    driver.advance()
    assert status == 200
    again = driver.attempt("A1")
    assert (again.number, again.status) == (2, AttemptStatus.QUEUED)
    status, claimed = other.post(f"/api/attempts/{again.pk}/claim")
    assert (status, claimed["attempt"]["executor"]) == (200, "other")
    assert claimed["token"] > token
    late = holder.post(fail, {"token": token, "error": "still me"})
    assert (late[0], late[1]["code"]) == (409, "stale-token")
