"""WF-5: from an evaluation that found problems to a running fix stage: plan it, review it, approve it."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from orchestrator.core.errors import InvalidInput, WrongState
from orchestrator.core.terms import ExecutorKind, TaskStatus
from orchestrator.models import GateReview, HistoryEntry, Stage, WorkflowVersion
from orchestrator.services.people.executors import register_executor
from tests.acceptance.test_wf5_evaluation_gate import PLAN, gate_of
from tests.cast import NOON, Driver
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import signed_in, words


@pytest.fixture
def evaluated(driver: Driver) -> Driver:
    """Stage 1 waits for its evaluation again: the first one was rejected, and the step was done again."""
    driver.start(PLAN)
    driver.do("A1", "B1")
    gate = gate_of(driver)
    reject(driver, gate.pk)
    driver.do("A1", "B1")
    return driver


def reject(driver: Driver, gate: int) -> None:
    form = {"decision": "reject", "reason": "Two tokens are accepted at once.", "return_key": "A1"}
    assert signed_in(driver.cast.reviewer).post(f"/gates/{gate}/decide", form).status_code == 302
    driver.advance()


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the form as it stands."""
    found = dict(
        re.findall(r'<input type="(?:hidden|text)"[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', page, re.DOTALL)
    )
    found |= dict(re.findall(r'<textarea[^>]*?name="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL))
    if re.search(r'name="sign_gate"[^>]*checked', page):
        found["sign_gate"] = "on"
    return {name: value.replace("&quot;", '"').replace("&#x27;", "'") for name, value in found.items()}


def form_of(driver: Driver, user: User) -> tuple[str, str]:
    """The address that the gate's page leads to, and what stands there."""
    gate = gate_of(driver)
    page = signed_in(user).get(f"/gates/{gate.pk}/").content.decode()
    link = re.search(r'id="plan-fix"[^>]*?href="([^"]+)"|href="([^"]+)"[^>]*?id="plan-fix"', page, re.DOTALL)
    assert link
    address = link[1] or link[2]
    return address.partition("?")[0], signed_in(user).get(address).content.decode()


def approve(driver: Driver, version: WorkflowVersion, user: User) -> None:
    form = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    answer = signed_in(user).post(reverse("plan-decide", args=[version.workflow.slug, version.number]), form)
    assert answer.status_code == 302, words(answer)
    driver.advance()


def test_wf5_three_clicks_lead_from_the_gate_to_a_running_fix_stage(
    driver: Driver, evaluated: Driver
) -> None:
    gate = gate_of(driver)
    address, page = form_of(driver, driver.cast.reviewer)
    review = signed_in(driver.cast.reviewer).post(address, fields(page), follow=True)
    assert review.status_code == 200
    version = WorkflowVersion.objects.get(number=2)
    shown = words(review)
    assert "adds 2 tasks and 1 gate" in shown
    assert "You wrote this version" in shown or "You need the role approver" in shown
    assert "Approve and go" in words(signed_in(driver.cast.approver).get(review.request["PATH_INFO"]))
    approve(driver, version, driver.cast.approver)
    stages = Stage.objects.filter(version=driver.reload().version).order_by("position")
    name = "stage-3-fix-two-tokens-are-accepted-at-once"
    assert [stage.slug for stage in stages] == ["stage-1-build", name, "stage-2-ship"]
    assert driver.ready() == ["FIX1"], "it runs, and what stands behind the gate does not"
    signed = GateReview.objects.get(attempt__task=gate, decision="approved")
    assert (signed.reviewer, signed.follow_up_version) == (driver.cast.reviewer, version)
    assert HistoryEntry.objects.get(action="gate approved").actor == "rita"
    assert state_problems(driver.reload()) == []
    driver.finish()
    assert driver.reload().finished_at is not None


def test_wf5_the_form_is_filled_in_from_what_failed(driver: Driver) -> None:
    driver.start(PLAN)
    driver.do("A1")
    driver.claim("B1")
    driver.fail("B1", "The shine test (B) | fails.")
    page = form_of(driver, driver.cast.reviewer)[1]
    given = fields(page)
    assert given["name"] == "fix the shine test b fails"
    assert given["reason"].endswith("B1: The shine test (B) | fails.")
    assert "- Fix B1: The shine test B fails. | it shines" in given["tasks"]
    assert "##### Batch 02: verification" in given["tasks"]
    assert "stage-3-fix-the-shine-test-b-fails" in page
    assert "is not signed with it" in page, "the gate does not wait yet"


def test_wf5_a_rejected_gate_offers_it_and_the_rework_goes_on(driver: Driver) -> None:
    driver.start(PLAN)
    driver.do("A1", "B1")
    gate = gate_of(driver)
    reject(driver, gate.pk)
    page = signed_in(driver.cast.reviewer).get(f"/gates/{gate.pk}/").content.decode()
    assert "prefilled from what failed" in page
    address, form = form_of(driver, driver.cast.reviewer)
    assert "rejected" in form
    signed_in(driver.cast.reviewer).post(address, fields(form))
    approve(driver, WorkflowVersion.objects.get(number=2), driver.cast.approver)
    assert driver.ready() == ["A1"], "the work that was sent back first"
    driver.do("A1", "B1")
    driver.sign(gate.step.key)
    assert driver.ready() == ["FIX1"]


def test_wf5_several_batches_and_threads_run_as_written(driver: Driver, evaluated: Driver) -> None:
    address, form = form_of(driver, driver.cast.reviewer)
    text = "# Batch: fixes\n## Thread: a\n- One\n## Thread: b\n- Two\n# Batch: verify\n- Three | seen"
    signed_in(driver.cast.reviewer).post(address, fields(form) | {"tasks": text})
    approve(driver, WorkflowVersion.objects.get(number=2), driver.cast.approver)
    assert sorted(driver.ready()) == ["FIX1", "FIX2"], "side by side"
    driver.do("FIX1", "FIX2")
    assert driver.ready() == ["FIX3"]
    form = signed_in(driver.cast.reviewer).get(address).content.decode()
    empty = signed_in(driver.cast.reviewer).post(address, fields(form) | {"tasks": "# Batch: none\n"})
    assert empty.status_code == InvalidInput.status
    assert "Line 1: the batch “none” has no task." in words(empty)


def test_wf5_a_signature_that_may_not_count_any_more_leaves_the_gate_waiting(
    driver: Driver, evaluated: Driver
) -> None:
    gate = gate_of(driver)
    address, form = form_of(driver, driver.cast.reviewer)
    signed_in(driver.cast.reviewer).post(address, fields(form))
    driver.cast.reviewer.groups.clear()
    approve(driver, WorkflowVersion.objects.get(number=2), driver.cast.approver)
    gate.refresh_from_db()
    assert (driver.reload().version.number, gate.status) == (2, TaskStatus.REVIEW)
    assert state_problems(driver.reload()) == []


def test_wf5_the_same_over_rest(driver: Driver, evaluated: Driver) -> None:
    rita = Machine.of(
        register_executor(name="rita-bot", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    )
    anna = Machine.of(
        register_executor(name="anna-bot", kind=ExecutorKind.PERSON, user=driver.cast.approver, now=NOON)
    )
    gate = gate_of(driver)
    status, draft = rita.get(f"/api/gates/{gate.pk}/fix-stage")
    assert (status, [problem["kind"] for problem in draft["problems"]]) == (200, ["rejected"])
    body = {name: draft[name] for name in ("name", "tasks", "reason", "gate")} | {"sign_gate": True}
    status, made = rita.post(f"/api/workstreams/{driver.reload().uuid}/stages", body)
    assert status == 201
    approved = f"/api/workflows/{driver.workstream.version.workflow.slug}/versions/2/approve"
    assert anna.post(approved, {"sha256": made["sha256"]})[0] == 200
    driver.advance()
    assert driver.ready() == ["FIX1"]
    status, said = rita.post(f"/api/workstreams/{driver.reload().uuid}/stages", body)
    assert (status, said["code"]) == (WrongState.status, "wrong-state"), "the gate is signed already"
