"""A plan in every form that is written; equal plans give equal text (AD-5, BX-6, WF-7)."""

import pytest

from orchestrator.core.files.write import Written, render_as
from orchestrator.core.plans.formats.recognise import READERS, recognise
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.terms import Format
from tests.core.plans.formats.samples import PLAN, SAMPLES


def plan() -> Plan:
    found = read_plan(PLAN).plan
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("form", "format"), [(Written.PLAN, Format.PLAN), (Written.PLAN_FILE, Format.PLAN_FILE)]
)
def test_ad5_what_is_written_is_read_back(form: Written, format: Format) -> None:
    text = render_as(plan(), form)
    assert recognise(text) is format
    assert READERS[format](text).plan == plan()


def test_wf7_tasks_json_lists_every_step_in_the_words_of_the_seed() -> None:
    text = render_as(plan(), Written.TASKS)
    again = READERS[Format.TASKS](text)
    assert recognise(text) is Format.TASKS
    assert again.plan is not None
    assert sorted(step.key for step in again.plan.steps()) == sorted(step.key for step in plan().steps())
    assert '"status": "pending"' in text
    assert not again.progress


def test_bx6_the_dashboard_shows_what_may_start_and_what_waits() -> None:
    text = render_as(plan(), Written.DASHBOARD)
    assert "01.01.01 ⏳  Data" in text
    assert "C1 ⏸️  Pay" in text
    assert "Merge Point MP1" in text
    assert "→ Will unlock: 01.01.03.01, C1" in text


@pytest.mark.parametrize("form", Written)
@pytest.mark.parametrize("name", SAMPLES)
def test_ad5_every_format_is_written_in_every_form(name: str, form: Written) -> None:
    one, other = (READERS[Format(name)](SAMPLES[name]).plan for _ in range(2))
    assert one is not None
    assert other is not None
    assert render_as(one, form) == render_as(other, form) != ""
