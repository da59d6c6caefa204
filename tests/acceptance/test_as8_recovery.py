"""AS-8, FR-027, EC-6: after an interruption the next executor sees the restored state and what is left to
prove.
"""

import pytest

from orchestrator.core.errors import StaleToken, WrongState
from orchestrator.core.terms import ArtifactState, AttemptStatus, CriterionKind, TaskStatus
from orchestrator.models import Assignment, HandoffArtifact, HistoryEntry
from orchestrator.queries.work.briefs import brief
from orchestrator.services.work import claims, completions, failures
from tests.cast import Driver


@pytest.fixture
def interrupted(driver: Driver) -> Driver:
    """builder-A1 claims A1, leaves a breadcrumb, and is gone."""
    driver.start()
    held = driver.claim("A1")
    claims.report(
        attempt_id=held.attempt_id,
        token=held.token,
        executor=held.executor,
        breadcrumb="Wrote the entry model, tests come next",
        now=driver.tick(),
    )
    return driver


def declare(driver: Driver) -> None:
    failures.declare_failure(
        attempt_id=driver.attempt("A1").pk,
        reason="The machine is gone.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()


def test_as8_an_attempt_stays_claimed_until_someone_declares_the_failure(interrupted: Driver) -> None:
    interrupted.advance()
    assert interrupted.attempt("A1").status == AttemptStatus.RUNNING
    declare(interrupted)
    assert interrupted.task("A1").status == TaskStatus.BLOCKED
    assert interrupted.ready() == ["B1"], "nothing is re-queued by itself"


def test_as8_the_next_executor_gets_state_and_remaining_criteria(interrupted: Driver) -> None:
    declare(interrupted)
    failures.requeue(
        task_id=interrupted.task("A1").pk,
        reason="Another machine is up.",
        actor=interrupted.cast.actor("contributor"),
        now=interrupted.tick(),
    )
    interrupted.advance()
    found = brief(interrupted.task("A1").pk)
    assert found.task.breadcrumb == "Wrote the entry model, tests come next"
    assert [(a.number, a.status, a.error) for a in found.earlier_attempts] == [
        (1, "failed", "The machine is gone.")
    ]
    assert [c.text for c in found.criteria if c.kind == CriterionKind.EXIT] == ["unit tests pass"]
    assert interrupted.attempt("A1").number == 2
    assert interrupted.ready() == ["A1", "B1"]


def test_f26_the_old_executor_wakes_up_too_late(interrupted: Driver) -> None:
    stale = Assignment.objects.get(attempt=interrupted.attempt("A1"))
    declare(interrupted)
    failures.requeue(
        task_id=interrupted.task("A1").pk,
        reason="Go on.",
        actor=interrupted.cast.actor("contributor"),
        now=interrupted.tick(),
    )
    interrupted.advance()
    fresh = interrupted.claim("A1", interrupted.cast.builder("builder-2"))
    assert fresh.token > stale.token
    with pytest.raises(StaleToken):
        completions.complete(
            attempt_id=stale.attempt_id,
            token=stale.token,
            executor=stale.executor,
            outcome="Late.",
            evidence={},
            now=interrupted.tick(),
        )
    assert interrupted.task("A1").status == TaskStatus.ACTIVE
    assert interrupted.attempt("A1").status == AttemptStatus.RUNNING
    interrupted.advance()
    evidence = HandoffArtifact.objects.get(state=ArtifactState.QUARANTINED)
    assert (evidence.attempt_id, evidence.commit) == (stale.attempt_id, "")
    assert HistoryEntry.objects.filter(
        action="stale result quarantined", actor="builder-A1 (agent of carl)"
    ).exists()
    interrupted.complete("A1")
    assert "A2" in interrupted.ready(), "the evidence does not stand in the way of the real result"


def test_a_second_completion_is_refused_and_holds_nothing_up(driver: Driver) -> None:
    driver.start()
    held = driver.claim("A1")
    driver.complete("A1")
    with pytest.raises(StaleToken):
        completions.complete(
            attempt_id=held.attempt_id,
            token=held.token,
            executor=held.executor,
            outcome="Again.",
            evidence={},
            now=driver.tick(),
        )
    driver.advance()
    assert driver.ready() == ["B1", "A2"]


def test_ec6_every_attempt_and_every_decision_is_kept(interrupted: Driver) -> None:
    declare(interrupted)
    failures.requeue(
        task_id=interrupted.task("A1").pk,
        reason="Again.",
        actor=interrupted.cast.actor("contributor"),
        now=interrupted.tick(),
    )
    interrupted.advance()
    interrupted.do("A1")
    kept = interrupted.task("A1").attempts.order_by("number").values_list("number", "status")
    assert list(kept) == [(1, "failed"), (2, "completed")]
    actions = HistoryEntry.objects.filter(subject__startswith="A1").order_by("sequence")
    assert list(actions.values_list("action", flat=True)) == [
        "attempt claimed",
        "breadcrumb left",
        "attempt failed",
        "task re-queued",
        "attempt claimed",
        "attempt completed",
    ]


def test_requeue_needs_a_failed_attempt(driver: Driver) -> None:
    driver.start()
    with pytest.raises(WrongState):
        failures.requeue(
            task_id=driver.task("A1").pk,
            reason="why not",
            actor=driver.cast.actor("contributor"),
            now=driver.tick(),
        )
