"""A plan written as canonical PLAN.md and read again is the same plan (AD-5)."""

from pathlib import Path

import pytest

from orchestrator.core.plans.formats.recognise import READERS, recognise
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.terms import Format
from tests.core.plans.formats.samples import SAMPLES
from tests.core.plans.plan_examples import DECOMPOSITION, DEPENDENCIES
from tests.core.plans.random_plans import plans
from tests.examples import tried_on

ROOT = Path(__file__).resolve().parents[3]
OWN = sorted([*(ROOT / "fixtures").rglob("*.PLAN.md"), *(ROOT / "tests/core/plans/texts").glob("*.md")])


@tried_on(20, 120, plan=plans())
def test_a_random_plan_comes_back_as_it_was(plan: Plan) -> None:
    text = render_plan(plan)
    assert recognise(text) is Format.PLAN
    assert read_plan(text).plan == plan


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_every_plan_of_ours_comes_back_as_it_was(path: Path) -> None:
    plan = read_plan(path.read_text()).plan
    assert plan is not None
    assert read_plan(render_plan(plan)).plan == plan


@pytest.mark.parametrize("name", SAMPLES)
def test_other_tools_plans_become_a_plan_of_ours(name: str) -> None:
    plan = READERS[Format(name)](SAMPLES[name]).plan
    assert plan is not None
    assert read_plan(render_plan(plan)).plan == plan


def test_lanes_and_merge_points_of_seed_002_come_back() -> None:
    plan = read_plan(f"# Plan: Auth\n\n{DECOMPOSITION}\n{DEPENDENCIES}").plan
    assert plan is not None
    again = read_plan(render_plan(plan))
    assert again.plan == plan
    assert not again.findings, "a canonical plan leaves nothing to be inferred"
