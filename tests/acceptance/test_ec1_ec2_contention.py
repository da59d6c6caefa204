"""EC-1, EC-2: parallel steps that want the same thing run one after the other; equal order is settled by the key."""

from orchestrator.core.terms import Reason
from orchestrator.models import HistoryEntry, Verdict
from tests.cast import Driver

SHARED = b"""# Plan: One database

## Stages
### Stage 1: Only
##### Batch 01: all
###### Thread 01: reads
- R1: Read
  - Resources: staging-db
###### Thread 02: writes
- W1: Write
  - Resources: staging-db
###### Thread 03: apart
- X1: Something else
"""

TIE = b"""# Plan: Equal order

## Stages
### Stage 1: Only
##### Batch 01: all
###### Thread 01: one
- B10: First by key, which is compared as text
###### Thread 02: two
- C1: Third by key
###### Thread 03: three
- B2: Second by key
"""


def test_ec1_two_steps_with_one_resource_run_one_after_the_other_and_it_is_recorded(driver: Driver) -> None:
    driver.start(SHARED)
    assert driver.ready() == ["R1", "X1"], "the lower order wins, a later one that wants nothing of it passes"
    waiting = Verdict.objects.filter(task=driver.task("W1")).latest("pk")
    assert (waiting.reason, waiting.holder) == (Reason.RESOURCE, "R1")
    assert "staging-db" in waiting.sentence
    driver.claim("R1")
    driver.advance()
    assert driver.ready() == ["X1"], "no pre-emption, and nothing beside the holder"
    driver.complete("R1")
    assert driver.ready() == ["W1", "X1"]


def test_ec2_equal_order_is_settled_by_the_key_and_recorded(driver: Driver) -> None:
    driver.start(TIE)
    round_one = driver.task("C1").verdict.decision
    launched = round_one.verdicts.filter(launch_order__isnull=False).order_by("launch_order")
    assert list(launched.values_list("task__step__key", flat=True)) == ["B10", "B2", "C1"]
    entry = HistoryEntry.objects.get(action="steps launched")
    assert entry.subject == "round 1: B10, B2, C1"
