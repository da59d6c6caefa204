"""FR-016: a version may become effective later.

Until then nothing of it starts and work in flight goes on as it is.
"""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import TaskStatus, VersionStatus
from orchestrator.models import Migration, WorkflowVersion
from orchestrator.processes import tasks
from orchestrator.services.review import decisions
from tests.acceptance.test_ec4_mapping import RENAMED
from tests.acceptance.versions import ONE, decide, next_version
from tests.cast import Driver
from tests.verified import state_problems
from tests.web.pages import signed_in, words


@pytest.fixture
def promised(driver: Driver) -> WorkflowVersion:
    """Version 2 renames A1, and is approved for two days from now."""
    driver.start(ONE)
    driver.do("A1")
    version = next_version(driver, RENAMED)
    decisions.approve_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        actor=driver.cast.actor("approver"),
        now=timezone.now(),
        mapping=[StepMapping(("A1",), ("A7",))],
        effective_at=timezone.now() + timedelta(days=2),
    )
    return version


def test_fr016_work_in_flight_goes_on_until_the_version_takes_effect(
    driver: Driver, promised: WorkflowVersion
) -> None:
    driver.advance()
    assert driver.reload().version.number == 1
    assert driver.task("A1").status == TaskStatus.COMPLETE
    page = words(signed_in(driver.cast.observer).get(f"/workstreams/{driver.reload().uuid}/"))
    assert "Version 2 becomes effective on" in page
    assert state_problems(driver.reload()) == []
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        assert tasks.sweep() == 1
        assert driver.reload().version.number == 2
        assert driver.task("A7").status == TaskStatus.COMPLETE, "by the mapping that its approver gave"
        tasks.sweep()
    assert Migration.objects.get().applied_by == "orchestrator"
    assert WorkflowVersion.objects.get(number=1).status == VersionStatus.SUPERSEDED
    assert state_problems(driver.reload()) == []


def test_fr016_a_running_step_holds_a_due_version_up_and_the_page_says_so(
    driver: Driver, promised: WorkflowVersion
) -> None:
    changed = RENAMED.replace(b"Ledger report", b"Ledger report by month")
    version = next_version(driver, changed)
    decide(driver, version)
    assert version.status == VersionStatus.IN_REVIEW
    decisions.approve_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        actor=driver.cast.actor("approver"),
        now=timezone.now(),
        mapping=[StepMapping(("A1",), ("A7",)), StepMapping(("A2",), ("A2",), redo=True)],
        effective_at=timezone.now() + timedelta(days=1),
    )
    driver.claim("A2")
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        tasks.sweep()
        assert driver.reload().version.number == 1
        page = words(signed_in(driver.cast.approver).get(f"/workstreams/{driver.reload().uuid}/"))
        assert "Version 3 waits to take effect" in page
        driver.complete("A2")
        assert driver.reload().version.number == 3, (
            "the newest promised version, once nothing runs on what it changes"
        )


def test_fr016_a_version_does_not_become_effective_in_the_past(driver: Driver) -> None:
    driver.start(ONE)
    version = next_version(driver, RENAMED)
    with pytest.raises(InvalidInput, match="past"):
        decisions.approve_version(
            version_id=version.pk,
            seen_sha256=version.source_sha256,
            actor=driver.cast.actor("approver"),
            now=timezone.now(),
            effective_at=timezone.now() - timedelta(hours=1),
        )


def test_fr016_the_time_is_given_on_the_review_page(driver: Driver) -> None:
    version = driver.submit(ONE).version
    assert decide(driver, version, effective_at="tomorrow").status_code == 422
    assert decide(driver, version, effective_at="2026-99-01T12:00").status_code == 422
    assert decide(driver, version, effective_at="2061-01-01T12:00").status_code == 302
    version.refresh_from_db()
    assert version.effective_at is not None
    assert version.effective_at.year == 2061
    assert driver.reload().tasks.count() == 0, "they are created when it takes effect"
    page = words(signed_in(driver.cast.observer).get(f"/workstreams/{driver.reload().uuid}/"))
    assert "is approved and takes effect on" in page
    assert state_problems(driver.reload()) == []
    with time_machine.travel("2061-01-02", tick=False):
        tasks.sweep()
    assert driver.reload().tasks.count() == 5
    assert state_problems(driver.reload()) == []


def test_fr016_an_older_promise_does_not_outlive_a_newer_version(
    driver: Driver, promised: WorkflowVersion
) -> None:
    newer = next_version(driver, ONE + b"\n")
    assert decide(driver, newer).status_code == 302
    promised.refresh_from_db()
    assert promised.status == VersionStatus.SUPERSEDED
