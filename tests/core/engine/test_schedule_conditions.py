"""Where a condition stands among the order rules: after needs and gates, before blocker and lane (AD-8,
design 3).
"""

from dataclasses import replace

from orchestrator.core.engine.conditions import Ended, When
from orchestrator.core.engine.order import Place
from orchestrator.core.engine.schedule import Decision, decide
from orchestrator.core.engine.values import Snapshot, TaskView
from orchestrator.core.terms import Reason, TaskStatus

DONE, SKIPPED = TaskStatus.COMPLETE, TaskStatus.SKIPPED
T1 = TaskView("T1", Place(0, 0, 0, 0), status=DONE)
PASSED = When("T1 is failed", (Ended("T1", DONE, "passed"),))
FAILED = When("T1 is failed", (Ended("T1", DONE, "failed"),))
F1 = TaskView("F1", Place(0, 0, 0, 1), needs=("T1",))
V1 = TaskView("V1", Place(0, 0, 0, 2))


def judged(*tasks: TaskView) -> Decision:
    return decide(Snapshot(tasks))


def reason(decision: Decision, key: str) -> Reason:
    return decision.verdict(key).reason


def test_a_false_condition_skips_and_a_true_one_launches() -> None:
    false = judged(T1, replace(F1, when=PASSED), V1)
    assert (false.skips, false.launches) == (("F1",), ())
    said = "skipped: its condition “T1 is failed” is false, because T1 is passed"
    assert false.verdict("F1").sentence == said
    assert judged(T1, replace(F1, when=FAILED), V1).launches == ("F1",)
    after = judged(T1, replace(F1, status=SKIPPED, when=PASSED, skipped=said), V1)
    assert (after.launches, after.verdict("F1").sentence) == (("V1",), said)


def test_an_undecided_condition_waits_like_a_dependency() -> None:
    decision = judged(replace(F1, needs=(), when=When("T1 is failed", (Ended("T1", TaskStatus.ACTIVE),))))
    assert reason(decision, "F1") is Reason.DEPENDENCY
    assert (
        decision.verdict("F1").sentence
        == "waits until its condition “T1 is failed” is decided: T1 has not ended"
    )


def test_needs_gates_and_questions_come_before_the_condition() -> None:
    gate = TaskView("G1", Place(0, 0, 1, 0), gate=True)
    needing = replace(F1, needs=("T1", "G1"), when=PASSED)
    assert reason(judged(T1, gate, needing), "F1") is Reason.GATE
    assert (
        reason(judged(replace(T1, status=TaskStatus.PENDING), replace(F1, when=PASSED)), "F1")
        is Reason.DEPENDENCY
    )
    assert reason(judged(T1, replace(F1, when=PASSED, note="Which one?")), "F1") is Reason.NEEDS_HUMAN


def test_the_condition_comes_before_blocker_and_lane() -> None:
    blocked = replace(F1, blocker="No access.", status=TaskStatus.BLOCKED)
    assert reason(judged(T1, replace(blocked, when=PASSED)), "F1") is Reason.CONDITION
    assert reason(judged(T1, replace(blocked, when=FAILED)), "F1") is Reason.BLOCKER
    behind = replace(V1, needs=("T1",), when=PASSED)
    assert reason(judged(T1, F1, behind), "V1") is Reason.CONDITION
    assert reason(judged(T1, F1, replace(behind, when=FAILED)), "V1") is Reason.THREAD


def test_bx4_a_batch_of_skipped_steps_is_complete() -> None:
    later = TaskView("N1", Place(0, 1, 0, 0), needs=("F1",))
    assert judged(T1, replace(F1, status=SKIPPED), later).launches == ("N1",)
