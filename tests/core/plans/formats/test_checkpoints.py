"""Checkpoints of other tools are gates; where the text says so they are remarks (WF-2)."""

import pytest

from orchestrator.core.plans.checks.checkpoints import checkpoints_of, with_remarks
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Format

SPEC_KIT = """# Tasks: Lending
## Phase 1: Shelf
- [x] T001 Build the shelf
**Checkpoint**: the shelf stands
## Phase 2: Desk
- [ ] T002 Build the desk

**Checkpoint**: the desk stands
"""
GSD = """---
phase: 1
---
<task type="auto"><name>Task 1: Build it</name><action>Saw.</action></task>
<task type="checkpoint:human-verify"><what-built>The shelf</what-built></task>
<task type="auto"><name>Task 3: Paint it</name></task>
"""
PHASES = """# Shelf
## Context
It is empty.
## Phase 1: Build
### Changes Required:
- [ ] saw the boards
### Success Criteria:
#### Automated Verification:
- [ ] `make test`
#### Manual Verification:
- [ ] it stands straight
## Phase 2: Paint
### Changes Required:
- [ ] paint the boards
"""
KINDS = [(SPEC_KIT, Format.SPEC_KIT, 2), (GSD, Format.GSD, 1), (PHASES, Format.PLAN_MODE, 1)]


def titles(reading: Reading) -> list[str]:
    assert reading.plan
    return [step.title for step in reading.plan.steps() if step.gate is None]


@pytest.mark.parametrize(("text", "form", "count"), KINDS)
def test_wf2_checkpoints_become_remarks_where_the_text_says_so(text: str, form: Format, count: int) -> None:
    gates, remarks = read(text, frozenset()), read(with_remarks(text), frozenset())
    assert (gates.format, remarks.format) == (form, form)
    assert (checkpoints_of(gates), checkpoints_of(remarks)) == (count, 0)
    assert titles(gates) == titles(remarks)
    assert [one.key for one in gates.progress] == [one.key for one in remarks.progress]
    assert not [finding for finding in remarks.findings if "CP" in finding.message]
    assert [finding.code for finding in remarks.findings].count("kept-as-text") == 1
    assert remarks.plan
    said = [batch.summary for stage in remarks.plan.stages for batch in stage.batches if batch.summary]
    assert len([text for text in said if text.startswith("Checkpoint")]) == count
    assert "checkpoints:" not in remarks.plan.summary


def test_what_waits_for_a_checkpoint_waits_for_what_it_waits_for() -> None:
    text = SPEC_KIT + "## Phase 3: Open\n- [ ] T003 Open (depends on T001)\n"
    plan = read(with_remarks(text), frozenset()).plan
    assert plan
    known = {step.key for step in plan.steps()}
    assert all(need.key in known for step in plan.steps() for need in step.needs)


@pytest.mark.parametrize(
    "text", ['[{"content": "x", "status": "pending"}]', "<!-- file: PLAN.md -->\n# Plan"]
)
def test_a_text_that_can_have_no_front_matter_stays_as_it_is(text: str) -> None:
    assert with_remarks(text) == text


def test_said_once_it_is_not_said_again() -> None:
    assert with_remarks(with_remarks(GSD)) == with_remarks(GSD)
    assert with_remarks(GSD).count("---") == GSD.count("---")


def test_gates_of_our_own_plans_stay_gates() -> None:
    text = with_remarks("# Plan: A\n### Batch 1: x\n- A1: one\n### Gate: Ship\n- Reviewers: anna\n")
    plan = read(text, frozenset()).plan
    assert plan
    assert [step.key for step in plan.steps() if step.gate]


def test_front_matter_stands_once_in_the_summary() -> None:
    plan = read("---\nauthor: anna\n---\n# Wall\n- [ ] Paint it\n", frozenset()).plan
    assert plan
    assert plan.summary == "author: anna"
