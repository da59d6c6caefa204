"""AS-1, AS-2, AS-3, BX-4: what starts when, in which order, and what is recorded about it."""

from orchestrator.core.terms import Reason
from orchestrator.models import HistoryEntry, RecordedVerdict, SchedulingDecision
from orchestrator.queries.engine.explanations import explain
from tests.cast import Driver

LINE = b"""# Plan: In a row

## Stages
### Stage 1: Only
##### Batch 01: all
###### Thread 01: lane
- S1: First
- S2: Second
  - Parallel: yes
- S3: Third
  - Parallel: yes
- S4: Last
"""


def test_as1_steps_run_in_ascending_order(driver: Driver) -> None:
    driver.start(LINE)
    assert driver.ready() == ["S1"]
    driver.do("S1")
    assert driver.ready() == ["S2", "S3"]
    driver.do("S2", "S3")
    assert driver.ready() == ["S4"]
    driver.do("S4")
    assert driver.reload().finished_at is not None


def test_as2_parallel_steps_are_launched_together_in_order_and_join(driver: Driver) -> None:
    driver.start(LINE)
    driver.do("S1")
    launched = RecordedVerdict.objects.filter(
        decision=driver.task("S3").verdict.decision, launch_order__isnull=False
    )
    assert list(launched.values_list("task__step__key", "launch_order")) == [("S2", 1), ("S3", 2)]
    driver.do("S3")
    assert explain(driver.reload())[driver.task("S4").pk].sentence == (
        "waits for S2: ready, waits for an executor to claim it"
    )
    assert driver.ready() == ["S2"]


def test_as2_two_executors_run_the_parallel_steps_at_once(driver: Driver) -> None:
    driver.start(LINE)
    driver.do("S1")
    first, second = driver.claim("S2"), driver.claim("S3")
    assert first.executor != second.executor
    assert {first.attempt.status, second.attempt.status} == {"running"}


def test_as3_only_the_lowest_of_several_sequential_steps_starts(driver: Driver) -> None:
    plan = LINE.replace(b"  - Parallel: yes\n", b"")
    driver.start(plan)
    assert driver.ready() == ["S1"]
    verdicts = explain(driver.reload())
    assert [verdicts[driver.task(key).pk].reason for key in ("S2", "S3", "S4")] == [Reason.THREAD] * 3
    driver.claim("S1")
    driver.advance()
    assert driver.ready() == []
    assert (
        explain(driver.reload())[driver.task("S2").pk].sentence
        == "waits for S1: running on builder-S1 (agent of carl)"
    )


def test_every_launch_is_a_recorded_decision(driver: Driver) -> None:
    driver.start(LINE)
    driver.do("S1")
    rounds = SchedulingDecision.objects.filter(
        workstream=driver.workstream, verdicts__launch_order__isnull=False
    )
    assert rounds.distinct().count() == 2
    launches = HistoryEntry.objects.filter(action="steps launched").order_by("sequence")
    assert [entry.subject.split(": ")[1] for entry in launches] == ["S1", "S2, S3"]


def test_bx4_a_batch_never_starts_before_the_one_before_is_complete(driver: Driver) -> None:
    driver.start()
    assert driver.ready() == ["A1", "B1"]
    driver.do("A1", "A2")
    assert driver.ready() == ["B1"], "nothing of batch 02 or the merge point"
    driver.do("B1")
    assert driver.ready() == ["MP1"]


def test_the_same_state_gives_the_same_decision(driver: Driver) -> None:
    driver.start()
    before = SchedulingDecision.objects.count()
    driver.advance()
    driver.advance()
    assert SchedulingDecision.objects.count() == before
