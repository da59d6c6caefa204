"""FR-027, WF-8: whoever holds a task gives it back: no failure, the breadcrumb stays, anybody may go on. A
person may hold several.
"""

import pytest

from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Assignment, HistoryEntry
from tests.cast import Driver
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(driver: Driver) -> Assignment:
    driver.start()
    return driver.claim("A1", driver.cast.builder("first"))


def test_fr027_a_task_that_is_given_back_is_queued_again_for_anybody(
    driver: Driver, held: Assignment
) -> None:
    first = Machine.of(driver.cast.builder("first"))
    body = {"token": held.token, "breadcrumb": "Entries written, report missing."}
    place = f"/api/attempts/{held.attempt_id}/release"
    status, answer = first.post(place, body)
    assert (status, answer["status"]) == (200, "cancelled")
    assert driver.task("A1").status == TaskStatus.PENDING
    driver.advance()
    attempt = driver.attempt("A1")
    assert (attempt.number, attempt.status) == (2, AttemptStatus.QUEUED)
    assert driver.task("A1").breadcrumb == "Entries written, report missing."
    entry = HistoryEntry.objects.get(action="attempt given back")
    assert (entry.subject, entry.reason) == ("A1 attempt 1", "Entries written, report missing.")
    assert not HistoryEntry.objects.filter(action="attempt failed").exists()
    driver.claim("A1", driver.cast.builder("second"))
    driver.claim("B1", driver.cast.builder("first"))
    assert state_problems(driver.reload()) == []
    assert first.post(place, body)[1]["code"] == "stale-token"


def test_fr027_only_the_holder_gives_back_and_says_how_far_it_is(driver: Driver, held: Assignment) -> None:
    place = f"/api/attempts/{held.attempt_id}/release"
    other = Machine.of(driver.cast.builder("other"))
    assert other.post(place, {"token": held.token, "breadcrumb": "Mine."})[0] == 409
    first = Machine.of(driver.cast.builder("first"))
    assert first.post(place, {"token": held.token, "breadcrumb": " "})[0] == 422
    assert first.post(place, {"token": held.token + 1, "breadcrumb": "Old."})[0] == 409
    assert driver.attempt("A1").status == AttemptStatus.RUNNING


def test_fr027_a_person_gives_back_on_the_page(driver: Driver) -> None:
    driver.start()
    person, uuid = signed_in(driver.cast.contributor), driver.reload().uuid
    page = f"/workstreams/{uuid}/tasks/A1/"
    person.post(f"{page}claim", {"attempt": driver.attempt("A1").pk})
    assert "A1: Ledger entries for refunds" in words(person.get("/?view=hands"))
    assert "Give it back" in words(person.get(page))
    token = {"attempt": driver.attempt("A1").pk, "token": driver.task("A1").last_token}
    done = person.post(f"{page}release", {**token, "breadcrumb": "Half done."}, follow=True)
    assert "You have given A1 back" in words(done)
    assert "Nothing is in your hands" in words(person.get("/?view=hands"))
    driver.advance()
    assert driver.ready() == ["A1", "B1"]
    assert state_problems(driver.reload()) == []


def test_fr027_a_person_holds_several_tasks_an_agent_one(driver: Driver) -> None:
    driver.start()
    person, uuid = signed_in(driver.cast.contributor), driver.reload().uuid
    for key in ("A1", "B1"):
        page = f"/workstreams/{uuid}/tasks/{key}/"
        done = person.post(f"{page}claim", {"attempt": driver.attempt(key).pk}, follow=True)
        assert f"You hold {key} now." in words(done)
    assert Assignment.objects.filter(released_at=None, executor__kind="person").count() == 2
    hands = words(person.get("/?view=hands"))
    assert "A1: Ledger entries for refunds" in hands
    assert "B1: Gateway call" in hands
    token = {"attempt": driver.attempt("A1").pk, "token": driver.task("A1").last_token}
    person.post(f"/workstreams/{uuid}/tasks/A1/release", {**token, "breadcrumb": "Later."})
    driver.advance()
    agent = Machine.of(driver.cast.builder("agent"))
    assert agent.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")[0] == 200
    assert state_problems(driver.reload()) == []
