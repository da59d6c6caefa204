"""Conditions in a plan: what they imply and what blocks (AD-8, BX-3)."""

import pytest

from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.read import read as read_checked
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Format

PLAN = """---
parameters:
  browser: chromium
---
# Plan: Test, fix, verify

### Stage 1: Check

##### Batch 01: test

###### Thread 01: test
- T1: Test it
  - Outcomes: Passed, failed
- F1: Fix it
  - When: T1 is failed
- V1: Verify it

### Gate: Release
- Reviewers: reviewer

##### Batch 02: after

- X1: Tell
  - When: parameter browser is chromium and F1 is skipped
"""


def read(source: str) -> Reading:
    return read_checked(source, frozenset(), Format.PLAN)


def blockers(source: str) -> list[Finding]:
    return list(read(source).blockers)


def test_a_condition_waits_for_what_it_asks_for() -> None:
    reading = read(PLAN)
    assert reading.plan is not None
    assert reading.blockers == ()
    needs = {step.key: [(n.key, n.line, n.inferred) for n in step.needs] for step in reading.plan.steps()}
    assert needs["F1"] == [("T1", 15, True)]
    assert needs["X1"] == [("F1", 24, True)]
    steps = {step.key: step for step in reading.plan.steps()}
    assert steps["T1"].outcomes == ("passed", "failed")
    assert [f.line for f in reading.findings if f.code == "inferred-needs"] == [15, 18, 24]


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ("T1 failed", "unreadable-condition", "`is` is missing behind “T1” (column 4)"),
        ("T9 is failed", "condition-unknown", "T9, which is not in the plan"),
        ("T1 is broken", "condition-unknown", "whether T1 is broken, which it never is"),
        ("parameter colour is red", "condition-unknown", "parameter “colour”"),
        ("V1 is complete", "condition-on-later", "V1, which stands later"),
        ("X1 is complete", "condition-on-later", "X1, which stands later"),
        ("F1 is complete", "condition-on-later", "asks for itself"),
    ],
)
def test_a_condition_that_cannot_be_judged_blocks(condition: str, code: str, said: str) -> None:
    found = blockers(PLAN.replace("T1 is failed", condition))
    assert [(f.code, f.line) for f in found] == [(code, 15)]
    assert said in found[0].message
    assert found[0].fix


def test_bx3_a_gate_takes_no_condition() -> None:
    found = blockers(PLAN.replace("- Reviewers: reviewer", "- Reviewers: reviewer\n- When: T1 is failed"))
    assert [(f.code, f.line) for f in found] == [("condition-on-gate", 20)]


@pytest.mark.parametrize("word", ["complete", "two words", "not"])
def test_an_outcome_is_a_word_of_its_own(word: str) -> None:
    assert "unusable-outcome" in {f.code for f in blockers(PLAN.replace("Passed, failed", f"failed, {word}"))}


def test_conditions_make_levels_where_the_plan_has_no_batches() -> None:
    source = "# Plan: x\n\n- T1: Test\n  - Outcomes: passed, failed\n- F1: Fix\n  - When: T1 is failed\n"
    plan = read(source).plan
    assert plan is not None
    assert [[p.step.key, p.place[1]] for p in plan.placed_steps()] == [["T1", 0], ["F1", 1]]
