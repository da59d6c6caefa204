"""WF-3: an approval on the page can be withdrawn before anything starts; that stays on record."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from orchestrator.core.errors import NotAllowed, WrongState
from orchestrator.core.terms import ExecutorKind, Role, TaskStatus, VersionStatus
from orchestrator.models import Approval, HistoryEntry, Task, WorkflowVersion
from orchestrator.processes import tasks
from orchestrator.processes.queue_watch import QueueWatch
from orchestrator.services.people.executors import register_executor
from tests.acceptance.versions import GROWN, ONE, decide, next_version
from tests.cast import NOON, Driver, UserFactory
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import htmx, signed_in, words

SECONDS = 10


@pytest.fixture
def clock(settings) -> Iterator[time_machine.Traveller]:
    """Time moves when the test says so; a page leaves ten seconds to withdraw it."""
    settings.WITHDRAW_SECONDS = SECONDS
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def approved(driver: Driver, clock: time_machine.Traveller) -> WorkflowVersion:
    """A first version that its approver approved on the page a moment ago."""
    version = driver.submit(ONE).version
    answer = decide(driver, version)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/workstreams/{driver.reload().uuid}/")
    version.refresh_from_db()
    return version


def page(version: WorkflowVersion) -> str:
    return reverse("plan-review", args=[version.workflow.slug, version.number])


def withdraw(user: User, version: WorkflowVersion):
    form = {"decision": "withdraw-approval", "version_id": version.pk}
    return signed_in(user).post(reverse("plan-decide", args=[version.workflow.slug, version.number]), form)


def status(version: WorkflowVersion) -> str:
    version.refresh_from_db()
    return version.status


def actions(driver: Driver) -> list[str]:
    return list(HistoryEntry.objects.filter(workstream=driver.workstream).values_list("action", flat=True))


def test_wf3_nothing_starts_while_an_approval_can_be_undone(
    driver: Driver, approved: WorkflowVersion
) -> None:
    shown = words(signed_in(driver.cast.approver).get(page(approved)))
    assert "Nothing of it has started." in shown
    assert "in about 10 seconds" in shown
    assert "Withdraw approval" in shown
    driver.advance()
    assert (status(approved), Task.objects.count()) == (VersionStatus.APPROVED, 0)
    assert state_problems(driver.reload()) == []


def test_wf3_the_portfolio_says_that_a_plan_is_approved_before_it_takes_effect(
    driver: Driver, approved: WorkflowVersion
) -> None:
    client = signed_in(driver.cast.approver)
    shown = words(client.get("/portfolio/"))
    assert "The plan is approved; work begins when it takes effect." in shown
    assert "not approved yet" not in shown
    assert withdraw(driver.cast.approver, approved).status_code == 302
    assert "The plan is not approved yet." in words(client.get("/portfolio/"))


def test_wf3_the_workstream_counts_down_and_reloads_once_it_is_in_effect(
    driver: Driver, approved: WorkflowVersion, clock: time_machine.Traveller
) -> None:
    client, address = signed_in(driver.cast.approver), f"/workstreams/{driver.reload().uuid}/"
    shown = client.get(address)
    assert "Version 1 of the plan is approved." in words(shown)
    assert "in about 10 seconds" in words(shown)
    assert "Withdraw approval" in words(shown)
    part = client.get(address, **htmx("approval"))
    assert part.content.strip().startswith(b'<div id="approval"')
    assert "HX-Refresh" not in part.headers
    clock.shift(SECONDS)
    tasks.advance(driver.reload().pk)
    assert client.get(address, **htmx("approval")).headers["HX-Refresh"] == "true"
    assert "is approved." not in words(client.get(address))


def test_wf3_when_the_time_is_over_it_takes_effect_by_itself(
    driver: Driver, approved: WorkflowVersion, clock: time_machine.Traveller
) -> None:
    clock.shift(SECONDS)
    tasks.advance(driver.reload().pk)
    assert (driver.reload().status, driver.workstream.tasks.count()) == ("active", 5)
    assert HistoryEntry.objects.get(action="plan took effect").actor == "orchestrator"
    shown = signed_in(driver.cast.approver).get(page(approved), **htmx("decision"))
    assert "It is in effect since" in words(shown)
    assert "data-poll" not in shown.content.decode()
    tasks.advance(driver.reload().pk)
    assert driver.workstream.tasks.count() == 5
    assert state_problems(driver.reload()) == []


def test_wf3_undo_withdraws_the_approval_on_record(driver: Driver, approved: WorkflowVersion) -> None:
    answer = withdraw(driver.cast.approver, approved)
    assert (answer.status_code, answer.headers["Location"]) == (302, page(approved))
    assert status(approved) == VersionStatus.IN_REVIEW
    assert (approved.decided_by, approved.decided_at, approved.effective_at) == (None, None, None)
    row = Approval.objects.get()
    assert (row.person, row.withdrawn_at is None) == (driver.cast.approver, False)
    entry = HistoryEntry.objects.get(action="approval withdrawn")
    assert (entry.actor, entry.subject) == ("anna", "version 1")
    assert actions(driver)[-2:] == ["plan approved", "approval withdrawn"]
    assert "0 of 1 approvals" in words(signed_in(driver.cast.approver).get(page(approved)))
    tasks.sweep()
    assert Task.objects.count() == 0
    assert state_problems(driver.reload()) == []


def test_wf3_what_was_undone_is_decided_anew(
    driver: Driver, approved: WorkflowVersion, clock: time_machine.Traveller
) -> None:
    withdraw(driver.cast.approver, approved)
    assert decide(driver, approved).status_code == 302
    clock.shift(SECONDS)
    tasks.sweep()
    assert driver.reload().tasks.count() == 5
    assert [row.withdrawn_at is None for row in Approval.objects.order_by("pk")] == [False, True]


def test_wf3_an_approval_in_effect_is_not_undone(
    driver: Driver, approved: WorkflowVersion, clock: time_machine.Traveller
) -> None:
    clock.shift(SECONDS)
    tasks.sweep()
    refused = withdraw(driver.cast.approver, approved)
    assert refused.status_code == WrongState.status
    assert "Version 1 is in effect; its approvals stand." in words(refused)
    assert (status(approved), driver.reload().tasks.count()) == (VersionStatus.APPROVED, 5)


def test_wf3_only_who_approved_undoes_it(driver: Driver, approved: WorkflowVersion) -> None:
    omar = UserFactory(username="omar", roles=[Role.APPROVER])
    assert withdraw(omar, approved).status_code == WrongState.status
    assert withdraw(driver.cast.reviewer, approved).status_code == NotAllowed.status
    assert "Withdraw approval" not in words(signed_in(omar).get(page(approved)))
    assert status(approved) == VersionStatus.APPROVED


def test_wf3_a_date_is_not_put_off_and_can_be_undone_before_it(
    driver: Driver, clock: time_machine.Traveller
) -> None:
    version = driver.submit(ONE).version
    soon: datetime = timezone.now() + timedelta(minutes=5)
    assert decide(driver, version, effective_at=soon.isoformat()).status_code == 302
    assert status(version) == VersionStatus.APPROVED
    assert version.effective_at == soon
    clock.shift(240)
    assert withdraw(driver.cast.approver, version).status_code == 302
    clock.shift(240)
    tasks.sweep()
    assert (status(version), Task.objects.count()) == (VersionStatus.IN_REVIEW, 0)


def test_wf3_work_in_flight_waits_for_the_time_as_well(driver: Driver, clock: time_machine.Traveller) -> None:
    driver.start(ONE)
    clock.shift(SECONDS)
    driver.advance()
    driver.do("A1")
    version = next_version(driver, GROWN)
    decide(driver, version)
    driver.do("B1")
    assert driver.reload().version.number == 1
    withdraw(driver.cast.approver, version)
    clock.shift(SECONDS)
    driver.advance()
    assert (driver.reload().version.number, status(version)) == (1, VersionStatus.IN_REVIEW)
    decide(driver, version)
    clock.shift(SECONDS)
    driver.advance()
    assert driver.reload().version.number == 2
    assert driver.task("E1").status == TaskStatus.PENDING
    assert state_problems(driver.reload()) == []


def test_wf3_a_newer_version_meanwhile_leaves_the_approval_and_follows_the_withdrawal(
    driver: Driver, approved: WorkflowVersion
) -> None:
    newer = next_version(driver, GROWN)
    assert driver.reload().version_id == approved.pk, "version 1 still takes effect at its time"
    assert withdraw(driver.cast.approver, approved).status_code == 302
    assert (status(approved), status(newer)) == (VersionStatus.SUPERSEDED, VersionStatus.IN_REVIEW)
    assert driver.reload().version_id == newer.pk
    assert decide(driver, newer).status_code == 302
    assert state_problems(driver.reload()) == []


def test_wf3_one_of_two_approvals_is_withdrawn_before_the_last(
    driver: Driver, clock: time_machine.Traveller
) -> None:
    version = driver.submit(ONE).version
    type(version.workflow).objects.update(required_approvals=2)
    decide(driver, version)
    shown = words(signed_in(driver.cast.approver).get(page(version)))
    assert "Withdraw approval" in shown
    assert withdraw(driver.cast.approver, version).status_code == 302
    assert "0 of 2 approvals" in words(signed_in(driver.cast.approver).get(page(version)))


def test_wf3_the_watch_wakes_what_became_due_once(
    driver: Driver, approved: WorkflowVersion, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr("orchestrator.services.base.wake.send", sent.append)
    moments = iter([0.6, SECONDS - 0.1, SECONDS + 0.6, SECONDS + 1.2])
    now = begun = timezone.now().timestamp()
    watch = QueueWatch(60, lambda: now, lambda: now)
    for moment in moments:
        now = begun + moment
        watch.look()
    assert sent == [driver.reload().pk]


def test_wf3_rest_takes_effect_at_once_unless_time_to_undo_is_asked_for(driver: Driver) -> None:
    bot = register_executor(name="anna-bot", kind=ExecutorKind.PERSON, user=driver.cast.approver, now=NOON)
    approver_machine = Machine.of(bot)
    version = driver.submit(ONE).version
    base = f"/api/workflows/{version.workflow.slug}/versions/1"
    body = {"sha256": version.source_sha256, "withdraw_seconds": 60}
    assert approver_machine.post(f"{base}/approve", body)[0] == 200
    assert Task.objects.count() == 0
    assert approver_machine.post(f"{base}/withdraw-approval", {"reason": "Wrong plan."})[0] == 200
    assert status(version) == VersionStatus.IN_REVIEW
    assert HistoryEntry.objects.get(action="approval withdrawn").reason == "Wrong plan."
    again = approver_machine.post(f"{base}/withdraw-approval", {})
    assert (again[0], again[1]["code"]) == (409, "wrong-state")
    assert approver_machine.post(f"{base}/approve", body | {"withdraw_seconds": 3601})[0] == 422
    assert approver_machine.post(f"{base}/approve", {"sha256": version.source_sha256})[0] == 200
    assert Task.objects.count() == 5
    late = approver_machine.post(f"{base}/withdraw-approval", {})
    assert (late[0], "in effect" in late[1]["message"]) == (409, True)
