"""WF-5: a stage ends with an evaluation gate: a person sees the whole stage, nothing passes before the
signature.
"""

from orchestrator.core.terms import TaskStatus
from tests.cast import Driver
from tests.web.pages import signed_in, words

PLAN = b"""# Plan: Evaluated work

## Stages

### Stage 1: Build

##### Batch 01: first

###### Thread 01: one
- A1: Build it
  - Exit: it runs

##### Batch 02: second

###### Thread 01: two
- B1: Polish it
  - Exit: it shines

##### Gate: Stage evaluation
- Kind: evaluation
- Reviewers: reviewer

### Stage 2: Ship

##### Batch 01: ship

###### Thread 01: three
- C1: Ship it
  - Exit: it is there
"""


def gate_of(driver: Driver):
    return driver.reload().tasks.select_related("step").get(step__gate_kind="evaluation")


def test_wf5_the_next_stage_waits_for_the_evaluation(driver: Driver) -> None:
    driver.start(PLAN)
    driver.do("A1", "B1")
    gate = gate_of(driver)
    assert gate.status == TaskStatus.REVIEW
    client = signed_in(driver.cast.reviewer)
    text = words(client.get(f"/gates/{gate.pk}/"))
    assert "A1: Build it" in text, "an evaluation looks at the whole stage"
    assert "it runs seen: it runs" in text
    assert "B1: Polish it" in text
    assert "Unlocks C1 : Ship it" in text
    assert not driver.task("C1").attempts.exists()
    client.post(f"/gates/{gate.pk}/decide", {"decision": "approve", "reason": "Good stage."})
    driver.advance()
    assert driver.ready() == ["C1"]


def test_wf5_problems_found_send_work_back(driver: Driver) -> None:
    driver.start(PLAN)
    driver.do("A1", "B1")
    gate = gate_of(driver)
    client = signed_in(driver.cast.reviewer)
    form = {"decision": "reject", "reason": "It crashes on Mondays.", "return_key": "A1"}
    text = words(client.post(f"/gates/{gate.pk}/decide", form, follow=True))
    assert "Rejected by rita, attempt 1, returned to A1" in text
    driver.advance()
    assert driver.ready() == ["A1"]
    assert [driver.task(key).rework for key in ("A1", "B1")] == [1, 1]
