"""Gates in the browser: what waits, what came in, sign or reject (FR-006, BX-3, AS-6)."""

import pytest

from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import GateReview, HistoryEntry
from tests.cast import PLAN, Driver
from tests.web.pages import htmx, signed_in, words


@pytest.fixture
def at_gate(driver: Driver) -> Driver:
    driver.start()
    driver.do("A1", "B1")
    driver.claim("A2")
    driver.complete("A2", outputs={"report.txt": b"42"}, outcome="Report written.")
    return driver


def page_of(driver: Driver) -> str:
    return f"/gates/{driver.task('MP1').pk}/"


def test_waiting_gates_stand_before_decided_ones(at_gate: Driver) -> None:
    first = at_gate.workstream
    at_gate.sign("MP1")
    at_gate.start(PLAN.replace(b"Card refunds", b"Second"))
    at_gate.do("A1", "B1", "A2")
    text = words(signed_in(at_gate.cast.observer).get("/gates/"))
    assert first is not None
    assert (
        text.index("Waits for a signature")
        < text.index("Second")
        < text.index("Decided")
        < text.index(first.title)
    )
    assert "Approved" in text


def test_the_list_costs_the_same_for_any_number_of_gates(
    at_gate: Driver, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    client = signed_in(at_gate.cast.observer)
    client.get("/gates/")
    with django_assert_max_num_queries(12) as few:
        client.get("/gates/")
    for n in range(3):
        at_gate.start(PLAN.replace(b"Card refunds", b"More %d" % n))
        at_gate.do("A1", "B1", "A2")
    with django_assert_num_queries(len(few.captured_queries)):
        client.get("/gates/")


def test_a_gate_shows_what_came_in_and_what_it_holds(at_gate: Driver) -> None:
    response = signed_in(at_gate.cast.reviewer).get(page_of(at_gate))
    text = words(response)
    for part in (
        "A2: Ledger report",
        "Report written.",
        "report shows refunds seen: report shows refunds Asserted checked by builder-A2 (agent of carl)",
        "attempt-completed.json",
        "report.txt",
        "Unlocks C1 : Refund end to end",
        "2 tasks: C1, D1",
        "Integration test ledger and gateway",
    ):
        assert part in text
    assert "attempt-queued.json" not in text


def test_signing_unlocks_what_follows(at_gate: Driver) -> None:
    client = signed_in(at_gate.cast.reviewer)
    response = client.post(
        page_of(at_gate) + "decide",
        {"decision": "approve", "reason": "Flow tested.", "follow_ups": "Load test."},
        follow=True,
    )
    assert "MP1 is approved" in words(response)
    review = GateReview.objects.get()
    assert (review.reviewer, review.decision, review.reason) == (
        at_gate.cast.reviewer,
        "approved",
        "Flow tested.",
    )
    assert "Follow-ups: Load test." in words(response)
    assert HistoryEntry.objects.get(action="gate approved").user == at_gate.cast.reviewer
    at_gate.advance()
    assert at_gate.ready() == ["C1"]


def test_rejecting_needs_a_reason_and_a_return_step(at_gate: Driver) -> None:
    client = signed_in(at_gate.cast.reviewer)
    url = page_of(at_gate) + "decide"
    no_reason = client.post(url, {"decision": "reject", "return_key": "A2"})
    assert no_reason.status_code == 422
    assert "A gate is rejected with a reason." in words(no_reason)
    no_step = client.post(url, {"decision": "reject", "reason": "The report is empty."})
    assert no_step.status_code == 422
    assert "The report is empty." in words(no_step)
    assert not GateReview.objects.exists()
    done = client.post(
        url, {"decision": "reject", "reason": "The report is empty.", "return_key": "A2"}, follow=True
    )
    assert "Rejected by rita, attempt 1, returned to A2" in words(done)
    assert "It is being done again" in words(done)
    assert at_gate.task("A2").status == TaskStatus.PENDING
    assert at_gate.attempt("MP1").status == AttemptStatus.REJECTED


def test_work_only_returns_to_steps_that_were_done_before_the_gate(at_gate: Driver) -> None:
    body = signed_in(at_gate.cast.reviewer).get(page_of(at_gate)).content.decode()
    assert '<option value="A1"' in body
    assert '<option value="C1"' not in body
    assert '<option value="MP1"' not in body


def test_htmx_gets_the_decision_alone_with_what_was_typed(at_gate: Driver) -> None:
    client = signed_in(at_gate.cast.reviewer)
    url = page_of(at_gate) + "decide"
    response = client.post(url, {"decision": "reject", "reason": "Empty."}, **htmx("decision"))
    assert response.status_code == 422
    assert response.content.strip().startswith(b'<section id="decision"')
    assert "Empty." in words(response)
    signed = client.post(url, {"decision": "approve"}, **htmx("decision"))
    assert page_of(at_gate) in signed.headers["HX-Redirect"]


def test_whom_the_plan_does_not_name_cannot_sign(at_gate: Driver) -> None:
    client = signed_in(at_gate.cast.contributor)
    assert "You may not sign MP1: it is signed by reviewer." in words(client.get(page_of(at_gate)))
    response = client.post(page_of(at_gate) + "decide", {"decision": "approve"})
    assert response.status_code == 403
    assert not GateReview.objects.exists()


def test_a_gate_is_signed_once(at_gate: Driver) -> None:
    client = signed_in(at_gate.cast.reviewer)
    client.post(page_of(at_gate) + "decide", {"decision": "approve"})
    again = client.post(page_of(at_gate) + "decide", {"decision": "approve"})
    assert again.status_code == 409
    assert GateReview.objects.count() == 1


def test_a_gate_that_is_not_reached_says_what_it_waits_for(driver: Driver) -> None:
    driver.start()
    text = words(signed_in(driver.cast.reviewer).get(page_of(driver)))
    assert "Nothing to sign now: waits for A2" in text


def test_a_work_step_is_no_gate(driver: Driver) -> None:
    driver.start()
    assert signed_in(driver.cast.reviewer).get(f"/gates/{driver.task('A1').pk}/").status_code == 404
