"""EC-6, FR-027: a step that keeps failing stops being tried again.

A person answers, then failures count anew.
"""

import pytest

from orchestrator.core.errors import BreakerOpen
from orchestrator.core.terms import TaskStatus
from orchestrator.models import HistoryEntry, Intervention
from orchestrator.services.work.failures import requeue
from tests.cast import PLAN, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words


def queue_again(driver: Driver, key: str = "A1"):
    person = signed_in(driver.cast.contributor)
    place = f"/workstreams/{driver.reload().uuid}/tasks/{key}/requeue"
    answer = person.post(place, {"reason": "Once more."})
    driver.advance()
    return answer


def fail_times(driver: Driver, count: int, error: str = "Vendor down, code {}.", key: str = "A1") -> None:
    for number in range(count):
        driver.claim(key)
        driver.fail(key, error.format(number))
        if number < count - 1:
            assert queue_again(driver, key).status_code == 302


@pytest.fixture
def tripped(driver: Driver) -> Driver:
    driver.start()
    fail_times(driver, 3)
    return driver


def answer_of(driver: Driver, role: str = "reviewer", text: str = "The vendor is back."):
    card = Intervention.objects.get(cleared_at=None)
    person = signed_in(getattr(driver.cast, role))
    return person.post(f"/interventions/{card.pk}/done", {"answer": text}, follow=True)


def test_ec6_three_failures_ask_for_a_person_everywhere(tripped: Driver) -> None:
    person = signed_in(tripped.cast.contributor)
    uuid = tripped.reload().uuid
    for address in ("/", "/interventions/", f"/workstreams/{uuid}/", f"/workstreams/{uuid}/tasks/A1/"):
        said = words(person.get(address))
        assert "it failed 3 times in the same way (attempts 1, 2, 3)" in said, address
    assert "The last error: Vendor down, code 2." in words(person.get("/interventions/"))
    flagged = Machine.of(tripped.cast.builder()).get("/tasks/?needs_human=true")[1]
    assert [task["key"] for task in flagged["items"]] == ["A1"]
    entry = HistoryEntry.objects.get(action="circuit breaker tripped")
    assert (entry.actor, entry.subject) == ("orchestrator", "A1 attempt 3")
    assert tripped.task("A1").status == TaskStatus.BLOCKED


def test_ec6_nobody_queues_it_again_before_the_answer(tripped: Driver) -> None:
    refused = queue_again(tripped)
    assert refused.status_code == 409
    assert "its circuit breaker waits for a person" in words(refused)
    status, body = Machine.of(tripped.cast.builder()).post(
        f"/api/tasks/{tripped.task('A1').pk}/requeue", {"reason": "Again."}
    )
    assert (status, body["code"]) == (409, BreakerOpen.code)
    with pytest.raises(BreakerOpen):
        requeue(
            task_id=tripped.task("A1").pk,
            reason="Again.",
            actor=tripped.cast.actor("contributor"),
            now=tripped.tick(),
        )
    assert tripped.task("A1").attempts.count() == 3


def test_ec6_an_agent_cannot_answer_the_breaker(tripped: Driver) -> None:
    machine, address = Machine.of(tripped.cast.builder()), f"/api/tasks/{tripped.task('A1').pk}/clear"
    status, body = machine.post(address, {"answer": "Fine now."})
    assert (status, body["code"]) == (403, "not-allowed")
    assert "Ask a person" in body["recovery"]
    assert tripped.task("A1").needs_human


def test_ec6_the_answer_is_required_and_restarts_the_count(tripped: Driver) -> None:
    assert answer_of(tripped, text=" ").status_code == 422
    assert tripped.task("A1").needs_human
    assert "failures count anew" in words(answer_of(tripped))
    assert not tripped.task("A1").needs_human
    assert queue_again(tripped).status_code == 302
    fail_times(tripped, 2)
    assert not tripped.task("A1").needs_human
    assert queue_again(tripped).status_code == 302
    fail_times(tripped, 1)
    card = Intervention.objects.get(cleared_at=None)
    assert "attempts 4, 5, 6" in card.note


def test_ec6_the_plan_says_how_many_attempts_a_step_has(driver: Driver) -> None:
    driver.start(
        PLAN.replace(b"  - Exit: unit tests pass", b"  - Exit: unit tests pass\n  - Max attempts: 1")
    )
    fail_times(driver, 1)
    assert "it failed once (attempt 1)" in Intervention.objects.get().note


def test_ec6_different_errors_may_go_on_as_long_as_the_plan_allows(driver: Driver) -> None:
    driver.start(
        PLAN.replace(b"  - Exit: unit tests pass", b"  - Exit: unit tests pass\n  - Max attempts: 5")
    )
    for error in ("disk full", "network down", "no licence", "no memory"):
        driver.claim("A1")
        driver.fail("A1", error)
        assert queue_again(driver).status_code == 302
    driver.claim("A1")
    driver.fail("A1", "no power")
    assert "failed 5 times (attempts 1, 2, 3, 4, 5)" in Intervention.objects.get().note


def test_ec6_work_sent_back_counts_anew(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    fail_times(driver, 2, key="A2")
    uuid = driver.reload().uuid
    signed_in(driver.cast.reviewer).post(
        f"/workstreams/{uuid}/tasks/A1/send-back", {"reason": "The entries are wrong."}
    )
    driver.advance()
    driver.do("A1")
    fail_times(driver, 2, key="A2")
    assert not driver.task("A2").needs_human
    assert queue_again(driver, "A2").status_code == 302
    fail_times(driver, 1, key="A2")
    assert driver.task("A2").needs_human


def test_ec6_an_open_question_gives_way_to_the_breaker(driver: Driver) -> None:
    driver.start()
    fail_times(driver, 2)
    queue_again(driver)
    held = driver.claim("A1")
    machine = Machine.of(held.executor)
    machine.post(f"/api/tasks/{driver.task('A1').pk}/flag", {"intervention_note": "Which vendor?"})
    driver.fail("A1", "Vendor down, code 9.")
    question, breaker = Intervention.objects.order_by("pk")
    assert (question.kind, question.answer) == (
        "question",
        "Overtaken: the circuit breaker stopped the step.",
    )
    assert (breaker.kind, breaker.cleared_at) == ("breaker", None)
    assert driver.task("A1").intervention_note == breaker.note
