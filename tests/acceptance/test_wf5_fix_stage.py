"""WF-5, LC-3, EC-4: problems become a new stage in a new version.

What was done stays done, nothing is patched.
"""

import pytest

from orchestrator.core.errors import MigrationImpossible, MissingReason
from orchestrator.core.terms import StageKind, TaskStatus, VersionStatus
from orchestrator.models import HistoryEntry, Stage, WorkflowVersion
from orchestrator.services.plans import amendments, plans
from orchestrator.services.plans.plans import Submission
from orchestrator.services.review import decisions
from tests.acceptance.test_wf5_evaluation_gate import PLAN, gate_of
from tests.cast import Driver
from tests.web.pages import signed_in, words


@pytest.fixture
def evaluated(driver: Driver) -> Driver:
    """Stage 1 is done and waits for its evaluation."""
    driver.start(PLAN)
    driver.do("A1", "B1")
    return driver


def propose(
    driver: Driver, gate_key: str = "", reason: str = "Two tokens are accepted at once."
) -> Submission:
    return amendments.propose_stage(
        workstream=driver.reload(),
        name="fix auth race",
        tasks="- Lock the token row | the race test passes\n- Say it in the log",
        reason=reason,
        gate_key=gate_key,
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )


def approve(driver: Driver, submission: Submission) -> None:
    decisions.approve_version(
        version_id=submission.version.pk,
        seen_sha256=submission.version.source_sha256,
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )
    driver.advance()


def test_wf5_a_fix_stage_is_appended_behind_the_evaluation(evaluated: Driver) -> None:
    gate = gate_of(evaluated).step.key
    submission = propose(evaluated, gate)
    assert evaluated.reload().version.number == 1, "work goes on under version 1 until version 2 is approved"
    approve(evaluated, submission)
    stages = Stage.objects.filter(version=evaluated.reload().version).order_by("position")
    assert [stage.slug for stage in stages] == ["stage-1-build", "stage-3-fix-auth-race", "stage-2-ship"]
    assert stages[1].kind == StageKind.FIX
    evaluated.sign(gate)
    assert evaluated.ready() == ["FIX1"]
    assert [c.text for c in evaluated.task("FIX1").step.criteria.all()] == ["the race test passes"]
    assert not evaluated.task("C1").attempts.exists(), "the next stage waits for the fix"
    evaluated.do("FIX1", "FIX2")
    evaluated.finish()
    assert evaluated.reload().finished_at is not None


def test_wf5_what_was_done_stays_done(evaluated: Driver) -> None:
    before = list(evaluated.task("A1").attempts.values_list("pk", flat=True))
    approve(evaluated, propose(evaluated, gate_of(evaluated).step.key))
    assert evaluated.task("A1").status == TaskStatus.COMPLETE
    assert list(evaluated.task("A1").attempts.values_list("pk", flat=True)) == before
    entry = HistoryEntry.objects.get(action="workstream migrated")
    assert entry.reason == "Two tokens are accepted at once."
    assert '"added":["FIX1","FIX2"' in entry.leaf
    versions = WorkflowVersion.objects.order_by("number").values_list("status", flat=True)
    assert list(versions) == [VersionStatus.SUPERSEDED, VersionStatus.APPROVED]


def test_lc3_a_task_for_a_gap_moves_a_finished_workstream_back_to_active(driver: Driver) -> None:
    driver.start()
    assert driver.finish().finished_at is not None
    approve(driver, propose(driver))
    assert driver.reload().finished_at is None
    assert driver.reload().open_tasks == 2
    assert driver.ready() == ["FIX1"]
    assert driver.finish().finished_at is not None


def test_a_stage_is_proposed_with_a_reason(evaluated: Driver) -> None:
    with pytest.raises(MissingReason):
        propose(evaluated, reason=" ")
    assert WorkflowVersion.objects.count() == 1


def test_ec4_a_version_that_changes_started_work_is_refused_and_changes_nothing(evaluated: Driver) -> None:
    changed = PLAN.replace(b"- A1: Build it", b"- A1: Build something else")
    submission = plans.submit_plan(
        source=changed,
        source_name="PLAN.md",
        actor=evaluated.cast.actor("initiator"),
        now=evaluated.tick(),
        workstream=evaluated.reload(),
        change_reason="Other idea.",
    )
    with pytest.raises(MigrationImpossible, match="A1"):
        approve(evaluated, submission)
    assert evaluated.reload().version.number == 1
    submission.version.refresh_from_db()
    assert submission.version.status == VersionStatus.IN_REVIEW


def test_ec4_a_step_that_was_not_started_may_be_dropped(evaluated: Driver) -> None:
    shorter = PLAN.split(b"### Stage 2")[0]
    submission = plans.submit_plan(
        source=shorter,
        source_name="PLAN.md",
        actor=evaluated.cast.actor("initiator"),
        now=evaluated.tick(),
        workstream=evaluated.reload(),
        change_reason="We do not ship.",
    )
    approve(evaluated, submission)
    assert evaluated.task("C1").status == TaskStatus.CANCELLED
    evaluated.sign(gate_of(evaluated).step.key)
    assert evaluated.reload().finished_at is not None


def test_wf5_a_fix_stage_through_the_pages(evaluated: Driver) -> None:
    gate = gate_of(evaluated)
    reviewer, approver = signed_in(evaluated.cast.reviewer), signed_in(evaluated.cast.approver)
    assert "Plan a fix stage" in words(reviewer.get(f"/gates/{gate.pk}/"))
    form = f"/workstreams/{evaluated.reload().uuid}/new-stage/"
    typed = {"gate": gate.step.key, "name": "fix auth race", "tasks": "Lock the row", "reason": ""}
    refused = reviewer.post(form, typed)
    assert refused.status_code == 422
    assert "Lock the row" in refused.content.decode(), "what was typed is kept"
    review = reviewer.post(form, typed | {"reason": "Tokens race."}, follow=True)
    assert "waits for approval" in words(review)
    version = WorkflowVersion.objects.get(number=2)
    page = approver.get(f"/plans/{version.workflow.slug}/v2/")
    assert "Added FIX1" in words(page)
    decision = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    approver.post(f"/plans/{version.workflow.slug}/v2/decide", decision)
    assert evaluated.reload().version == version
    assert evaluated.task("FIX1").status == TaskStatus.PENDING
