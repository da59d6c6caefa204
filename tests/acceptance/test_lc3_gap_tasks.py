"""LC-3: a gap moves a workstream back to active: a finished one by its new tasks, an accepted one by
re-opening it.
"""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HistoryEntry, Workstream
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Driver
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import control, signed_in, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward(driver: Driver) -> Machine:
    executor = register_executor(name="steward", kind=ExecutorKind.AGENT, user=driver.cast.approver, now=NOON)
    return Machine.of(executor)


def approve_newest(driver: Driver, effective_at: str = "") -> None:
    newest = driver.reload().version.workflow.versions.order_by("-number")[0]
    seen = {"version_id": newest.pk, "seen_sha256": newest.source_sha256, "decision": "approve"}
    seen |= {"effective_at": effective_at}
    address = reverse("plan-decide", args=[newest.workflow.slug, newest.number])
    assert signed_in(driver.cast.admin).post(address, seen).status_code == 302


def test_lc3_gap_tasks_make_a_finished_workstream_active_again(driver: Driver, steward: Machine) -> None:
    driver.start()
    work = driver.finish()
    body = {
        "name": "gaps",
        "tasks": "Refund in part | a partial refund is booked",
        "reason": "Only whole ones work.",
    }
    status, answer = steward.post(f"/api/workstreams/{work.uuid}/stages", body)
    assert (status, answer["version"]) == (201, 2)
    approve_newest(driver)
    answer = steward.get(f"/api/workstreams/{work.uuid}/")[1]
    assert (answer["status"], answer["finished"], answer["open_tasks"]) == ("active", False, 1)


GAP = {
    "name": "gaps",
    "tasks": "Refund in part | a partial refund is booked",
    "reason": "Only whole ones work.",
}


def test_lc3_a_gap_that_nobody_decided_about_holds_acceptance(driver: Driver, steward: Machine) -> None:
    driver.start()
    work = driver.finish()
    assert steward.post(f"/api/workstreams/{work.uuid}/stages", GAP)[0] == 201
    status, answer = steward.patch(f"/workstreams/{work.uuid}/", {"status": "completed"})
    assert (status, answer["code"], answer["details"]["version"]) == (409, "wrong-state", 2)
    assert driver.reload().status == "active"
    told = steward.get(f"/api/workstreams/{work.uuid}/")[1]
    assert (told["finished"], told["in_review"]) == (True, 2)
    client = signed_in(driver.cast.approver)
    page = client.get(f"/workstreams/{work.uuid}/")
    assert "Version 2 of the plan waits for a decision." in words(page)
    assert "disabled" in control(page, "accept")
    assert "Version 2 of its plan waits for a decision." in client.get("/portfolio.csv").getvalue().decode()


def test_lc3_a_gap_that_is_approved_for_later_holds_acceptance_and_is_told(
    driver: Driver, steward: Machine
) -> None:
    driver.start()
    work = driver.finish()
    client = signed_in(driver.cast.approver)
    assert f"/workstreams/{work.uuid}/" in client.get("/?kind=acceptance").content.decode()
    steward.post(f"/api/workstreams/{work.uuid}/stages", GAP)
    approve_newest(driver, effective_at=f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}")
    status, answer = steward.patch(f"/workstreams/{work.uuid}/", {"status": "completed"})
    assert (status, answer["details"]["version"]) == (409, 2)
    page = words(client.get(f"/workstreams/{work.uuid}/"))
    assert "Version 2 of the plan is approved and brings more work." in page
    assert "Every task is done." not in page
    assert "Version 2 of its plan is approved" in client.get("/portfolio.csv").getvalue().decode()
    assert f"/workstreams/{work.uuid}/" not in client.get("/?kind=acceptance").content.decode()


def test_lc3_a_gap_that_is_taken_back_holds_nothing_any_more(driver: Driver, steward: Machine) -> None:
    driver.start()
    work = driver.finish()
    steward.post(f"/api/workstreams/{work.uuid}/stages", GAP)
    newest = work.version.workflow.versions.order_by("-number")[0]
    seen = {"version_id": newest.pk, "seen_sha256": newest.source_sha256, "reason": "It is no gap."}
    address = reverse("plan-decide", args=[newest.workflow.slug, newest.number])
    client = signed_in(driver.cast.approver)
    assert client.post(address, seen | {"decision": "withdraw"}).status_code == 302
    assert "waits for a decision" not in words(client.get(f"/workstreams/{work.uuid}/"))
    assert steward.patch(f"/workstreams/{work.uuid}/", {"status": "completed"})[0] == 200


def test_lc3_a_version_of_accepted_work_is_taken_back_or_decided_once_it_is_reopened(
    driver: Driver, steward: Machine
) -> None:
    """As an acceptance left it before versions under review held it."""
    driver.start()
    work = driver.finish()
    steward.post(f"/api/workstreams/{work.uuid}/stages", GAP)
    Workstream.objects.update(status="completed", accepted_at=NOON, accepted_by=driver.cast.approver)
    newest = work.version.workflow.versions.order_by("-number")[0]
    address = reverse("plan-review", args=[newest.workflow.slug, newest.number])
    client = signed_in(driver.cast.approver)
    page = client.get(address)
    assert "Have it re-opened first; a version in review can be withdrawn as it is" in words(page)
    assert "disabled" not in control(page, "withdraw")
    assert "disabled" in control(page, "approve")
    client.post(f"/workstreams/{work.uuid}/acts/reopen", {"reason": "A gap."})
    assert "disabled" not in control(signed_in(driver.cast.admin).get(address), "approve")


def test_lc3_the_review_of_accepted_work_says_that_nothing_starts(driver: Driver, steward: Machine) -> None:
    driver.start()
    work = driver.finish()
    steward.post(f"/api/workstreams/{work.uuid}/stages", GAP)
    Workstream.objects.update(status="completed", accepted_at=NOON, accepted_by=driver.cast.approver)
    client, slug = signed_in(driver.cast.approver), work.version.workflow.slug
    in_force = words(client.get(reverse("plan-review", args=[slug, 1])))
    assert "What the plan does Nothing starts: Card refunds is completed, and all of its 6 tasks" in in_force
    submitted = words(client.get(reverse("plan-review", args=[slug, 2])))
    assert "What approval does Nothing starts: Card refunds is completed, and all of its 6 tasks" in submitted
    assert "Once the workstream is re-opened, approval does this: Work goes on: 6 tasks keep" in submitted
    for address in (reverse("plan-effect", args=[slug, 1]), reverse("plan-review", args=[slug, 1])):
        shown = words(client.get(address))
        assert "Nothing starts: Card refunds is completed" in shown
        assert "and starts" not in shown


def test_lc3_the_review_of_work_under_way_says_how_far_it_is(driver: Driver) -> None:
    work = driver.start()
    driver.do("A1")
    address = reverse("plan-review", args=[work.version.workflow.slug, 1])
    shown = words(signed_in(driver.cast.observer).get(address))
    assert "What the plan does It is in force: 1 of 6 tasks are done." in shown
    assert "and starts" not in shown


def test_lc3_an_accepted_workstream_is_reopened_with_the_gap_and_accepted_again(
    driver: Driver, steward: Machine
) -> None:
    driver.start()
    work = driver.finish()
    page = f"/workstreams/{work.uuid}/"
    client = signed_in(driver.cast.approver)
    client.post(f"{page}acts/accept", {"note": "Looked."})
    assert (
        steward.post(f"/api/workstreams/{work.uuid}/stages", {"name": "g", "tasks": "x", "reason": "y"})[0]
        == 409
    )
    assert "disabled" not in control(client.get(page), "reopen")
    assert client.post(f"{page}acts/reopen", {"reason": " "}).status_code == 422
    assert signed_in(driver.cast.reviewer).post(f"{page}acts/reopen", {"reason": "x"}).status_code == 403
    after = client.post(f"{page}acts/reopen", {"reason": "Refunds in part are missing."}, follow=True)
    assert "Card refunds is active again." in words(after)
    again = driver.reload()
    assert (again.status, again.accepted_at, again.accepted_by) == ("active", None, None)
    assert HistoryEntry.objects.get(action="workstream re-opened").reason == "Refunds in part are missing."
    assert state_problems(again) == []
    steward.post(
        f"/api/workstreams/{work.uuid}/stages", {"name": "gaps", "tasks": "Refund in part", "reason": "Gap."}
    )
    approve_newest(driver)
    driver.advance()
    driver.finish()
    status, answer = steward.patch(f"/workstreams/{work.uuid}/", {"status": "completed"})
    assert (status, answer["status"], answer["done_tasks"]) == (200, "completed", 7)
    status, answer = steward.post(f"/api/workstreams/{work.uuid}/reopen", {"reason": "Another gap."})
    assert (status, answer["status"]) == (200, "active")


def test_lc3_only_accepted_workstreams_are_reopened(driver: Driver, steward: Machine) -> None:
    work = driver.start()
    status, answer = steward.post(f"/api/workstreams/{work.uuid}/reopen", {"reason": "x"})
    assert (status, answer["code"]) == (409, "wrong-state")
    steward.patch(f"/workstreams/{work.uuid}/", {"status": "archived"})
    assert steward.post(f"/api/workstreams/{work.uuid}/reopen", {"reason": "x"})[0] == 409
    assert driver.reload().status == "archived"


def test_lc3_an_archived_workstream_says_what_may_become_of_a_version_in_review(
    driver: Driver, steward: Machine
) -> None:
    driver.start()
    work = driver.finish()
    steward.post(f"/api/workstreams/{work.uuid}/stages", GAP)
    address = f"/workstreams/{work.uuid}/"
    assert steward.patch(address, {"status": "archived", "reason": "Superseded."})[0] == 200
    page = words(signed_in(driver.cast.approver).get(address))
    assert "the version can only be withdrawn" in page
    assert "not accepted before" not in page
    newest = work.version.workflow.versions.order_by("-number")[0]
    about = f"/api/workflows/{newest.workflow.slug}/versions/2"
    status, answer = steward.post(f"{about}/approve", {"sha256": newest.source_sha256})
    assert status in {403, 409}, answer
    seen = {"sha256": newest.source_sha256, "reason": "It is archived."}
    assert steward.post(f"{about}/withdraw", seen)[0] == 200
    assert "waits for a decision" not in words(signed_in(driver.cast.approver).get(address))


@pytest.mark.parametrize("status", ["completed", "archived"])
def test_lc3_nothing_but_a_withdrawal_is_decided_about_the_plan_of_closed_work(
    driver: Driver, steward: Machine, status: str
) -> None:
    """The page and the machine interfaces say the same."""
    driver.start()
    work = driver.finish()
    steward.post(f"/api/workstreams/{work.uuid}/stages", GAP)
    accepted = {"accepted_at": NOON, "accepted_by": driver.cast.approver} if status == "completed" else {}
    Workstream.objects.update(status=status, **accepted)
    newest = work.version.workflow.versions.order_by("-number")[0]
    about = f"/api/workflows/{newest.workflow.slug}/versions/2"
    seen = {"sha256": newest.source_sha256, "reason": "Not now."}
    closed = f"Card refunds is {status}; its plan no longer changes."
    code, answer = steward.post(f"{about}/send-back", seen)
    assert (code, answer.get("message")) == (409, closed)
    form = seen | {"version_id": newest.pk, "seen_sha256": newest.source_sha256}
    address = reverse("plan-decide", args=[newest.workflow.slug, 2])
    client = signed_in(driver.cast.admin)
    for decision in ("approve", "send-back"):
        assert closed in words(client.post(address, form | {"decision": decision}))
    page = client.get(reverse("plan-review", args=[newest.workflow.slug, 2]))
    assert "disabled" in control(page, "send-back")
    assert closed in words(page)
    newest.refresh_from_db()
    assert newest.status == "in_review"
    assert "disabled" not in control(page, "withdraw")
    assert steward.post(f"{about}/withdraw", seen)[0] == 200
