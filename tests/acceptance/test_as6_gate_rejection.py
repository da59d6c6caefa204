"""AS-6, BX-3: a merge point is never skipped.

A rejection sends work back, to be done again as a new attempt.
"""

import pytest

from orchestrator.core.errors import MissingReason, NotAllowed, NotFound, WrongState
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import CriterionCheck, GateReview, HandoffArtifact, HistoryEntry
from orchestrator.queries.engine.explanations import explain
from orchestrator.services.review import gates
from tests.cast import Driver


@pytest.fixture
def at_gate(driver: Driver) -> Driver:
    driver.start()
    driver.do("A1", "B1", "A2")
    return driver


def reject(
    driver: Driver, return_key: str = "A2", reason: str = "The report is empty.", role: str = "reviewer"
):
    return gates.reject_gate(
        task_id=driver.task("MP1").pk,
        return_key=return_key,
        reason=reason,
        actor=driver.cast.actor(role),
        now=driver.tick(),
    )


def test_bx3_nothing_passes_an_unsigned_merge_point(at_gate: Driver) -> None:
    assert at_gate.ready() == ["MP1"]
    assert at_gate.task("MP1").status == TaskStatus.REVIEW
    sentence = explain(at_gate.reload())[at_gate.task("C1").pk].sentence
    assert sentence == "waits for MP1: waits for sign-off by reviewer"
    at_gate.advance()
    assert not at_gate.task("C1").attempts.exists()


def test_bx3_signing_unlocks_what_stands_behind(at_gate: Driver) -> None:
    at_gate.sign("MP1")
    assert at_gate.ready() == ["C1"]
    assert GateReview.objects.get().reviewer == at_gate.cast.reviewer
    assert HandoffArtifact.objects.filter(event="gate-approved").count() == 1


def test_bx3_a_merge_point_cannot_be_claimed(at_gate: Driver) -> None:
    with pytest.raises(WrongState, match="signed by a person"):
        at_gate.claim("MP1")


def test_as6_rejection_returns_work_and_counts_rework(at_gate: Driver) -> None:
    reject(at_gate, "A1")
    at_gate.advance()
    assert at_gate.ready() == ["A1"]
    assert [at_gate.task(key).rework for key in ("A1", "A2", "B1", "MP1")] == [1, 1, 0, 0]
    assert at_gate.task("B1").status == TaskStatus.COMPLETE
    assert at_gate.attempt("MP1").status == AttemptStatus.REJECTED
    actions = list(HistoryEntry.objects.order_by("sequence").values_list("action", flat=True))
    assert actions[-3:] == ["gate rejected", "work sent back", "steps launched"]


def test_as6_criteria_are_checked_again_for_the_new_attempt(at_gate: Driver) -> None:
    reject(at_gate)
    at_gate.advance()
    again = at_gate.attempt("A2")
    assert again.number == 2
    assert not CriterionCheck.objects.filter(attempt=again).exists()
    at_gate.do("A2")
    assert CriterionCheck.objects.filter(attempt=again).count() == 1
    assert at_gate.ready() == ["MP1"]
    assert at_gate.attempt("MP1").number == 2
    first = at_gate.task("A2").attempts.get(number=1)
    assert first.status == AttemptStatus.COMPLETED, "the earlier attempt stays as it was"


def test_as6_the_rejected_item_still_reaches_its_end(at_gate: Driver) -> None:
    reject(at_gate)
    at_gate.advance()
    assert at_gate.finish().finished_at is not None


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"reason": " "}, MissingReason),
        ({"return_key": "nope"}, NotFound),
        ({"return_key": "C1"}, WrongState),
        ({"role": "observer"}, NotAllowed),
        ({"role": "approver"}, NotAllowed),
    ],
)
def test_as6_bad_rejections_change_nothing(
    at_gate: Driver, facts: dict[str, str], refusal: type[Exception]
) -> None:
    before = HistoryEntry.objects.count()
    with pytest.raises(refusal):
        reject(at_gate, **facts)
    assert HistoryEntry.objects.count() == before
    assert at_gate.task("MP1").status == TaskStatus.REVIEW
