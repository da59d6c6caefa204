"""WF-2, WF-8: what people write in lists of their own is a step, a dependency, or told with its line."""

import pytest

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.plan import Reading

NO_TOOLS: frozenset[str] = frozenset()


def reading_of(text: str) -> Reading:
    return read(text, NO_TOOLS)


def steps(reading: Reading) -> list[str]:
    return [step.title for step in reading.plan.steps()] if reading.plan else []


def needs(reading: Reading) -> dict[str, list[str]]:
    assert reading.plan, [finding.message for finding in reading.findings]
    return {step.key: [need.key for need in step.needs] for step in reading.plan.steps()}


def lines(reading: Reading, code: str) -> list[int]:
    return [finding.line for finding in reading.findings if finding.code == code]


HEADINGS = ("Deploy", "Testing", "Order service", "Notes app", "About page", "Currency", "Risk engine", "M1")


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("first", ["## Build\n- [ ] code it", "## Phase 1: Build\n- code it"])
@pytest.mark.parametrize("mark", ["-", "*", "1."])
def test_wf2_a_list_under_any_heading_is_steps_or_told(first: str, heading: str, mark: str) -> None:
    reading = reading_of(f"{first}\n\n## {heading}\n{mark} roll out: all of it\n")
    assert "roll out: all of it" in steps(reading) or lines(reading, "work-as-text") == [5]


@pytest.mark.parametrize("heading", ["Notes", "Key risks", "Current state", "Out of scope", "References"])
def test_wf2_a_list_of_remarks_is_counted_and_asks_for_nothing(heading: str) -> None:
    reading = reading_of(f"## Build\n- [ ] code it\n\n## {heading}\n\n### All\n- it rains\n")
    assert reading.account.as_text == (7,)
    assert lines(reading, "work-as-text") == []
