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


@pytest.mark.parametrize(
    "text",
    [
        "1. Build login\n   - AC1: works\n2. Build search\n",
        "1. Build login\n- AC1: works\n2. Build search\n- AC2: finds\n",
        "- Build login\n  - AC1: works\n  - AC2: fast\n- Build search\n",
        "## Task 1: Build login\n- AC1: works\n\n## Task 2: Build search\n- AC3: finds\n",
        "### Step 1 - Build login\n- R1.2: works\n- 1.1: fast\n\n### Step 2 - Build search\n- AC3: finds\n",
        "**Task 1: Build login**\n- AC1: works\n\n**Task 2: Build search**\n- AC3: finds\n",
        "## T-1: Build login\n- AC1: works\n\n## T-2: Build search\n- AC3: finds\n",
    ],
)
def test_wf8_keyed_criteria_of_a_task_make_no_plan_of_their_own(text: str) -> None:
    assert steps(reading_of(text)) == ["Build login", "Build search"]


def test_wf8_keyed_bullets_of_a_list_stay_steps() -> None:
    for text in ("- A1: dig\n- A2: pour\n", "# P\n\n- note\n\nText\n\n  - A1: dig\n  - A2: pour\n"):
        assert steps(reading_of(text)) == ["dig", "pour"]


def test_wf2_bullets_as_far_left_as_the_number_above_them_belong_to_it() -> None:
    reading = reading_of("1. **Setup**\n- install\n\n2. **Build**\n- compile (needs 1)\n  - deeper\n3. **Ship**\n")
    assert steps(reading) == ["Setup", "Build", "Ship"]
    assert reading.plan
    assert reading.plan.summary == ""
    assert [step.details for step in reading.plan.steps()][:2] == ["- install", "- compile (needs 1)\n  - deeper"]
    assert needs(reading)["2"] == ["1"]
