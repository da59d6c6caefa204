"""FR-006: a signature or a rejection can be withdrawn before anything comes of it; that stays on record."""

from collections.abc import Iterator

import pytest
import time_machine
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils import timezone

from orchestrator.core.errors import WrongState
from orchestrator.core.terms import (
    AttemptStatus,
    ExecutorKind,
    IntegrationSource,
    Role,
    TaskStatus,
    VersionStatus,
)
from orchestrator.models import GateReview, HistoryEntry, WorkflowVersion
from orchestrator.processes import tasks
from orchestrator.processes.queue_watch import QueueWatch
from orchestrator.services.handoff.baseline import integrate
from orchestrator.services.people.blockers import declare_blocker
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, PLAN, Driver, UserFactory
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import htmx, signed_in, words

SECONDS = 10
TWO = PLAN.replace(
    b"- **Reviewers:** reviewer\n", b"- **Reviewers:** reviewer, approver\n- **Approvals:** 2\n"
)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time moves when the test says so."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def signed(driver: Driver, clock: time_machine.Traveller, settings) -> Driver:
    """Rita signed MP1 on its page a moment ago."""
    to_gate(driver, settings)
    answer = decide(driver, driver.cast.reviewer, "approve", reason="Tested.")
    assert (answer.status_code, answer.headers["Location"]) == (302, page(driver))
    return driver


def to_gate(driver: Driver, settings, source: bytes = PLAN) -> None:
    """MP1 waits, and a page leaves ten seconds to withdraw a signature."""
    driver.start(source)
    driver.do("A1", "B1", "A2")
    settings.WITHDRAW_SECONDS = SECONDS


def page(driver: Driver) -> str:
    return f"/gates/{driver.task('MP1').pk}/"


def decide(driver: Driver, person: User, decision: str, **fields: str) -> HttpResponse:
    return signed_in(person).post(f"{page(driver)}decide", {"decision": decision, **fields})


def test_fr006_nothing_starts_while_a_signature_can_be_withdrawn(signed: Driver) -> None:
    signed.advance()
    assert (signed.attempt("MP1").status, signed.ready()) == (AttemptStatus.QUEUED, ["MP1"])
    shown = words(signed_in(signed.cast.reviewer).get(page(signed)))
    assert "Nothing behind it has started." in shown
    assert "in about 10 seconds" in shown
    assert "Withdraw signature" in shown
    other = words(signed_in(signed.cast.admin).get(page(signed)))
    assert "Withdraw signature" not in other
    assert "MP1 has every signature it asks for" in other
    assert state_problems(signed.reload()) == []


def test_fr006_when_the_time_is_over_it_takes_effect_by_itself(
    signed: Driver, clock: time_machine.Traveller
) -> None:
    clock.shift(SECONDS)
    tasks.advance(signed.reload().pk)
    assert signed.task("MP1").status == TaskStatus.COMPLETE
    assert signed.ready() == ["C1"]
    entry = HistoryEntry.objects.get(action="gate approved")
    assert (entry.actor, entry.reason) == ("rita", "Tested.")
    tasks.advance(signed.reload().pk)
    assert HistoryEntry.objects.filter(action="gate approved").count() == 1
    shown = signed_in(signed.cast.reviewer).get(page(signed), **htmx("decision"))
    assert "data-poll" not in shown.content.decode()
    assert shown.headers["HX-Refresh"] == "true"
    assert state_problems(signed.reload()) == []


def test_fr006_undo_withdraws_the_signature_on_record(signed: Driver, clock: time_machine.Traveller) -> None:
    assert decide(signed, signed.cast.reviewer, "withdraw", reason="Wrong gate.").status_code == 302
    review = GateReview.objects.get()
    assert (review.reviewer, review.withdrawn_at is None) == (signed.cast.reviewer, False)
    entry = HistoryEntry.objects.get(action="signature withdrawn")
    assert (entry.actor, entry.reason) == ("rita", "Wrong gate.")
    clock.shift(SECONDS)
    tasks.sweep()
    assert signed.attempt("MP1").status == AttemptStatus.QUEUED
    assert "Withdrawn signature of rita" in words(signed_in(signed.cast.reviewer).get(page(signed)))
    assert state_problems(signed.reload()) == []
    assert decide(signed, signed.cast.reviewer, "approve").status_code == 302
    clock.shift(SECONDS)
    tasks.sweep()
    assert signed.task("MP1").status == TaskStatus.COMPLETE


def test_fr006_a_signature_in_effect_is_not_withdrawn(signed: Driver, clock: time_machine.Traveller) -> None:
    clock.shift(SECONDS)
    tasks.sweep()
    refused = decide(signed, signed.cast.reviewer, "withdraw")
    assert refused.status_code == WrongState.status
    assert signed.task("MP1").status == TaskStatus.COMPLETE


def test_fr006_only_who_signed_withdraws_it(signed: Driver) -> None:
    rosa = UserFactory(username="rosa", roles=[Role.REVIEWER])
    assert decide(signed, rosa, "withdraw").status_code == WrongState.status
    assert GateReview.objects.get().withdrawn_at is None


def test_fr006_who_sees_a_problem_meanwhile_rejects(signed: Driver, clock: time_machine.Traveller) -> None:
    rosa = UserFactory(username="rosa", roles=[Role.REVIEWER])
    assert decide(signed, rosa, "approve").status_code == WrongState.status
    assert decide(signed, rosa, "reject", reason="Rounding.", return_key="A2").status_code == 302
    clock.shift(SECONDS)
    tasks.sweep()
    assert signed.attempt("MP1").status == AttemptStatus.REJECTED
    assert state_problems(signed.reload()) == []


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_fr006_a_page_that_does_not_know_of_a_signature_does_not_override_it(
    signed: Driver, decision: str
) -> None:
    """Whoever has read of it may still reject; a page opened before says who decided, and asks again."""
    rosa = UserFactory(username="rosa", roles=[Role.REVIEWER])
    review = GateReview.objects.get()
    stale = {"reason": "Rounding.", "return_key": "A2", "attempt": str(review.attempt_id), "heard": "0"}
    refused = decide(signed, rosa, decision, **stale)
    assert (refused.status_code, GateReview.objects.count()) == (409, 1)
    assert "MP1 was approved by rita already, since you opened the page. That was at" in words(refused)
    assert f'name="heard" value="{review.pk}"' in signed_in(rosa).get(page(signed)).content.decode()
    if decision == "reject":
        assert decide(signed, rosa, "reject", **{**stale, "heard": str(review.pk)}).status_code == 302


def test_fr006_a_blocker_meanwhile_holds_it(signed: Driver, clock: time_machine.Traveller) -> None:
    gate = signed.task("MP1").pk
    contributor = signed.cast.actor("contributor")
    declare_blocker(task_id=gate, kind="external", note="No key.", actor=contributor, now=timezone.now())
    clock.shift(SECONDS)
    tasks.sweep()
    assert signed.attempt("MP1").status == AttemptStatus.QUEUED


def test_fr006_one_of_two_signatures_is_withdrawn_before_the_last(
    driver: Driver, clock: time_machine.Traveller, settings
) -> None:
    to_gate(driver, settings, TWO)
    decide(driver, driver.cast.reviewer, "approve")
    assert "until the last signature" in words(signed_in(driver.cast.reviewer).get(page(driver)))
    assert decide(driver, driver.cast.reviewer, "withdraw").status_code == 302
    decide(driver, driver.cast.approver, "approve")
    clock.shift(SECONDS)
    tasks.sweep()
    assert driver.attempt("MP1").status == AttemptStatus.QUEUED


def test_fr006_follow_ups_of_a_withdrawn_signature_are_withdrawn_too(driver: Driver, settings) -> None:
    to_gate(driver, settings)
    decide(driver, driver.cast.reviewer, "approve", follow_ups="Load test | p95 below 1 s")
    version = WorkflowVersion.objects.get(number=2)
    assert version.status == VersionStatus.IN_REVIEW
    decide(driver, driver.cast.reviewer, "withdraw")
    version.refresh_from_db()
    assert version.status == VersionStatus.WITHDRAWN


def test_fr006_a_signed_gate_is_in_nobody_s_inbox(signed: Driver) -> None:
    rosa = UserFactory(username="rosa", roles=[Role.REVIEWER])
    assert "MP1" not in str(words(signed_in(rosa).get("/")))
    decide(signed, signed.cast.reviewer, "withdraw")
    assert "MP1" in words(signed_in(rosa).get("/"))


def test_fr006_the_watch_wakes_a_signed_gate_once(
    signed: Driver, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr("orchestrator.services.base.wake.send", sent.append)
    moments = iter([0.6, SECONDS - 0.1, SECONDS + 0.6, SECONDS + 1.2])
    now = begun = timezone.now().timestamp()
    watch = QueueWatch(60, lambda: now, lambda: now)
    for moment in moments:
        now = begun + moment
        watch.look()
    assert sent == [signed.reload().pk]


def test_fr006_rest_signs_at_once_unless_time_to_withdraw_is_asked_for(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    own = register_executor(name="rita-bot", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    machine, base = Machine.of(own), f"/api/gates/{driver.task('MP1').pk}"
    status, facts = machine.post(f"{base}/approve", {"withdraw_seconds": 60})
    assert (status, facts["status"], facts["signed"]) == (200, "review", ["rita"])
    assert facts["reviews"][0]["effective_at"]
    status, facts = machine.post(f"{base}/withdraw-signature", {"reason": "Wrong gate."})
    assert (status, facts["signed"]) == (200, [])
    assert facts["reviews"][0]["withdrawn_at"]
    assert machine.post(f"{base}/approve", {"withdraw_seconds": 3601})[0] == 422
    assert machine.post(f"{base}/approve", {})[1]["status"] == "complete"
    assert machine.post(f"{base}/withdraw-signature", {})[0] == 409


def test_fr006_already_decided_names_who_and_when_and_shows_the_gate_anew(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    decide(driver, driver.cast.reviewer, "approve")
    rosa = UserFactory(username="rosa", roles=[Role.REVIEWER])
    form = {"decision": "reject", "reason": "Late.", "return_key": "A2"}
    answer = signed_in(rosa).post(f"{page(driver)}decide", form, **htmx("decision"))
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (409, "#content")
    shown = words(answer)
    at = GateReview.objects.get().signed_at
    assert f"MP1 is decided already: approved by rita. That was at {at.day} {at:%b %Y}, " in shown
    assert "What you typed Late." in shown


def test_fr006_a_second_tab_shows_the_gate_anew_that_one_has_signed_oneself(
    driver: Driver, clock: time_machine.Traveller, settings
) -> None:
    to_gate(driver, settings)
    decide(driver, driver.cast.reviewer, "approve")
    form = {"decision": "reject", "reason": "Late.", "return_key": "A2"}
    answer = signed_in(driver.cast.reviewer).post(f"{page(driver)}decide", form, **htmx("decision"))
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (409, "#content")
    shown = words(answer)
    assert "You have signed MP1 already." in shown
    assert "signed by rita, which takes effect soon" in shown
    assert "Withdraw signature" in shown


@pytest.fixture
def rejected(driver: Driver, clock: time_machine.Traveller, settings) -> Driver:
    """Rita rejected MP1 on its page a moment ago."""
    to_gate(driver, settings)
    answer = decide(driver, driver.cast.reviewer, "reject", reason="Rounding.", return_key="A2")
    assert (answer.status_code, answer.headers["Location"]) == (302, page(driver))
    return driver


def test_fr006_nothing_is_thrown_away_while_a_rejection_can_be_withdrawn(rejected: Driver) -> None:
    rejected.advance()
    assert (rejected.attempt("MP1").status, rejected.task("A2").status) == ("queued", "complete")
    shown = words(signed_in(rejected.cast.reviewer).get(page(rejected)))
    assert "Nothing is thrown away yet." in shown
    assert "in about 10 seconds: work returns to A2." in shown
    assert "Withdraw rejection" in shown
    other = words(signed_in(rejected.cast.admin).get(page(rejected)))
    assert "Withdraw rejection" not in other
    rosa = UserFactory(username="rosa", roles=[Role.REVIEWER])
    refused = decide(rejected, rosa, "approve")
    assert refused.status_code == 409
    assert "MP1 is rejected by rita" in words(refused)
    assert "MP1" not in words(signed_in(rosa).get("/"))
    assert state_problems(rejected.reload()) == []


@pytest.mark.parametrize("decided", ["rejected", "signed"])
def test_fr006_fr015_what_was_decided_is_said_wherever_the_gate_is_named(
    driver: Driver, clock: time_machine.Traveller, settings, decided: str
) -> None:
    """Until it takes effect nobody is told that the gate waits for a signature, nor asked for one."""
    to_gate(driver, settings)
    fields = {"reason": "No tests.", "return_key": "A2"} if decided == "rejected" else {}
    decide(driver, driver.cast.reviewer, "reject" if fields else "approve", **fields)
    driver.advance()
    said, work = f"{decided} by rita, which takes effect soon", driver.reload()
    viewer, gate = signed_in(driver.cast.admin), driver.task("MP1")
    pages = (page(driver), "/gates/", f"/workstreams/{work.uuid}/", f"/workstreams/{work.uuid}/tasks/MP1/")
    for address in pages:
        shown = words(viewer.get(address))
        assert (said in shown.lower(), "waits for sign-off" in shown) == (True, False), (address, shown)
    assert "Waits for a signature" not in words(viewer.get(f"/workstreams/{work.uuid}/"))
    assert said in words(viewer.get("/portfolio/"))
    robot = Machine.of(
        register_executor(
            name="carl-bot", kind=ExecutorKind.AGENT, user=driver.cast.contributor, now=timezone.now()
        )
    )
    for address in (f"/api/tasks/{driver.task('C1').pk}/why/", f"/api/tasks/{gate.pk}/why/"):
        found = robot.get(address)[1]
        assert said in found["sentence"]
        assert (found["root"]["freed_by"], found["root"]["to_do"]) == ([], "wait, or withdraw the decision")
    assert said in str(robot.get(f"/api/tasks/{gate.pk}/")[1])
    assert robot.get(f"/api/gates/{gate.pk}/")[1]["asked"] == []


def test_fr006_a_rejection_takes_effect_by_itself_once(
    rejected: Driver, clock: time_machine.Traveller
) -> None:
    clock.shift(SECONDS)
    tasks.advance(rejected.reload().pk)
    assert rejected.task("MP1").status == TaskStatus.PENDING
    assert rejected.task("A2").rework == 1
    entry = HistoryEntry.objects.get(action="gate rejected")
    assert (entry.actor, entry.reason) == ("rita", "Rounding.")
    tasks.advance(rejected.reload().pk)
    assert HistoryEntry.objects.filter(action="gate rejected").count() == 1
    shown = signed_in(rejected.cast.reviewer).get(page(rejected), **htmx("decision"))
    assert shown.headers["HX-Refresh"] == "true"
    assert state_problems(rejected.reload()) == []


def test_fr006_a_withdrawn_rejection_stays_on_record(rejected: Driver, clock: time_machine.Traveller) -> None:
    assert decide(rejected, rejected.cast.reviewer, "withdraw", reason="Read it wrongly.").status_code == 302
    clock.shift(SECONDS)
    tasks.sweep()
    assert (rejected.attempt("MP1").status, rejected.task("A2").rework) == (AttemptStatus.QUEUED, 0)
    assert "Withdrawn rejection by rita" in words(signed_in(rejected.cast.reviewer).get(page(rejected)))
    entries = HistoryEntry.objects.filter(subject="MP1 attempt 1").order_by("pk")
    assert [entry.action for entry in entries][-2:] == ["rejection signed", "signature withdrawn"]
    assert decide(rejected, rejected.cast.reviewer, "approve").status_code == 302
    clock.shift(SECONDS)
    tasks.sweep()
    assert rejected.task("MP1").status == TaskStatus.COMPLETE
    assert state_problems(rejected.reload()) == []


def test_fr006_rest_rejects_at_once_unless_time_to_withdraw_is_asked_for(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    own = register_executor(name="rita-bot", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    machine, base = Machine.of(own), f"/api/gates/{driver.task('MP1').pk}"
    body = {"reason": "Rounding.", "return_to": "A2"}
    status, facts = machine.post(f"{base}/reject", {**body, "withdraw_seconds": 60})
    assert (status, facts["status"]) == (200, "review")
    assert machine.post(f"{base}/withdraw-signature", {})[0] == 200
    assert machine.post(f"{base}/reject", body)[1]["status"] == "pending"


def part_of_the_base_branch(driver: Driver) -> None:
    integrate(
        workstream_id=driver.reload().pk,
        source=IntegrationSource.PERSON,
        note="Merged by hand.",
        actor=driver.cast.actor("contributor"),
        now=timezone.now(),
    )


def test_fr006_fr010_a_rejection_that_cannot_take_effect_is_refused_at_once(
    driver: Driver, clock: time_machine.Traveller, settings
) -> None:
    to_gate(driver, settings)
    part_of_the_base_branch(driver)
    answer = decide(driver, driver.cast.reviewer, "reject", reason="Rounding.", return_key="A2")
    assert "part of the base branch" in words(answer)
    assert GateReview.objects.count() == 0


def test_fr006_fr010_a_rejection_that_can_take_effect_no_more_holds_nobody_up(
    rejected: Driver, clock: time_machine.Traveller
) -> None:
    part_of_the_base_branch(rejected)
    clock.shift(SECONDS)
    tasks.advance(rejected.reload().pk)
    assert (rejected.attempt("MP1").status, rejected.task("A2").rework) == (AttemptStatus.QUEUED, 0)
    entry = HistoryEntry.objects.filter(subject="MP1 attempt 1").latest("pk")
    assert (entry.actor, entry.action) == ("orchestrator", "signature withdrawn")
    assert "part of the base branch" in entry.reason
    assert decide(rejected, rejected.cast.reviewer, "approve").status_code == 302
    clock.shift(SECONDS)
    tasks.advance(rejected.reload().pk)
    assert rejected.task("MP1").status == TaskStatus.COMPLETE
    assert state_problems(rejected.reload()) == []
