"""FR-012, LC-6: an attempt is not completed over an open blocker or an unanswered question."""

import pytest

from orchestrator.core.errors import MissingNote, WrongState
from orchestrator.core.terms import TaskStatus
from orchestrator.models import Intervention
from orchestrator.services.people import blockers, interventions
from tests.cast import Driver


@pytest.fixture
def running(driver: Driver) -> Driver:
    driver.start()
    driver.claim("A1")
    return driver


def test_an_open_blocker_holds_the_completion_until_it_is_resolved(running: Driver) -> None:
    actor = running.cast.actor("contributor")
    blocker = blockers.declare_blocker(
        task_id=running.task("A1").pk,
        kind="external",
        note="The vendor key is missing.",
        actor=actor,
        now=running.tick(),
    )
    assert running.task("A1").status == TaskStatus.BLOCKED
    assert running.reload().blocked_tasks == 1
    with pytest.raises(WrongState, match="open blocker"):
        running.complete("A1")
    blockers.resolve_blocker(
        blocker_id=blocker.pk, resolution="The key came.", actor=actor, now=running.tick()
    )
    assert running.task("A1").status == TaskStatus.ACTIVE
    running.complete("A1")
    assert running.task("A1").status == TaskStatus.COMPLETE


def test_an_open_blocker_holds_claim_and_signature(driver: Driver) -> None:
    driver.start()
    actor = driver.cast.actor("contributor")
    blocker = blockers.declare_blocker(
        task_id=driver.task("A1").pk, kind="decision", note="Which ledger?", actor=actor, now=driver.tick()
    )
    with pytest.raises(WrongState, match="open blocker"):
        driver.claim("A1")
    blockers.resolve_blocker(blocker_id=blocker.pk, resolution="The new one.", actor=actor, now=driver.tick())
    driver.do("A1", "A2", "B1")
    blockers.declare_blocker(
        task_id=driver.task("MP1").pk, kind="external", note="Auditor away.", actor=actor, now=driver.tick()
    )
    with pytest.raises(WrongState, match="open blocker"):
        driver.sign("MP1")


def test_an_unanswered_question_holds_the_completion(running: Driver) -> None:
    actor, task_id = running.cast.actor("contributor"), running.task("A1").pk
    interventions.flag_for_human(task_id=task_id, note="Which rounding?", actor=actor, now=running.tick())
    with pytest.raises(WrongState, match="Which rounding"):
        running.complete("A1")
    interventions.clear_human_flag(task_id=task_id, answer="half-even", actor=actor, now=running.tick())
    running.complete("A1")
    assert Intervention.objects.get().answer == "half-even"
    assert running.task("A1").status == TaskStatus.COMPLETE


def test_a_flag_without_a_note_changes_nothing(running: Driver) -> None:
    with pytest.raises(MissingNote):
        interventions.flag_for_human(
            task_id=running.task("A1").pk,
            note=" ",
            actor=running.cast.actor("contributor"),
            now=running.tick(),
        )
    assert not running.task("A1").needs_human
    assert not Intervention.objects.exists()
