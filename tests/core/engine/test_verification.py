"""BX-9: one rule says which command proves a step."""

import pytest

from orchestrator.core.engine.verification import Command, Named, verification_of
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.formats.plan_file_text import render_plan_file
from orchestrator.core.plans.text.render import render_plan

TOOLS = {"pytest", "ruff", "script"}
ALL = Named("script", "make.py", False, "pytest -q a", "pytest -q gate", "ruff check", "pytest")


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        (ALL, Command("script", "make.py", "its own tool")),
        (Named("script", "make.py", True, "pytest -q a"), Command("pytest", "-q a", "the step")),
        (Named("script", "make.py", True, "script make.py"), None),
        (Named("script", "make.py", True), None),
        (Named(gate="pytest -q gate", plan="ruff check"), Command("pytest", "-q gate", "its gate")),
        (Named(plan="ruff check", repository="pytest"), Command("ruff", "check", "the plan")),
        (Named(repository="pytest"), Command("pytest", "", "the repository")),
        (Named(step="none", plan="ruff check"), None),
        (Named(step="npm test", plan="ruff check"), None),
        (Named(), None),
    ],
)
def test_bx9_the_nearest_line_counts(named: Named, wanted: Command | None) -> None:
    assert verification_of(named, TOOLS) == wanted


PLAN = b"""---
verify: pytest -q
repository: sample
---
# Plan: Shop

## Stages

### Stage 1: Build

##### Batch 01: parts

###### Thread 01: prices
- A1: Price model
  - Verify: `pytest -q prices`
- A2: Words
  - Verify: none
- A3: Pages
  - Verify: the page looks right

##### Gate G1: Look at it
- Kind: review
- Reviewers: reviewer
- Verify: pytest -q all
"""


def test_bx9_the_lines_are_read_and_written_in_both_forms() -> None:
    plan = read(PLAN, frozenset(TOOLS)).plan
    assert plan is not None
    lines = {step.key: step.verify for step in plan.steps()}
    assert lines == {"A1": "pytest -q prices", "A2": "none", "A3": "", "G1": "pytest -q all"}
    assert "Verify: the page looks right" in next(s.details for s in plan.steps() if s.key == "A3")
    assert plan.verify == "pytest -q"
    for text in (render_plan(plan), render_plan_file(plan)):
        assert read(text.encode(), frozenset(TOOLS)).plan == plan
