"""A dependency that names nothing keeps open work from being approved, whatever the format (AD-1)."""

from time import process_time

import pytest

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.text.render import render_plan

_UNKNOWN = {
    "list": "- [ ] Pack\n- [ ] Load (depends on task 9)\n",
    "list, below": "- [ ] T1 Pack\n- [ ] T2 Load\n  - Depends on: T1, T9\n",
    "list, a word": "- [ ] Pack\n- [ ] Load\n  - Depends on: clean-up\n",
    "list, a phase": "## Phase 1\n- [ ] Pack\n## Phase 2\n- [ ] Load\n  - Depends on: phase 9\n",
    "table": "| id | task | depends on |\n|---|---|---|\n| 1 | Pack | |\n| 2 | Load | 1, 9 |\n",
    "yaml": "steps:\n- id: pack\n  title: Pack\n- id: load\n  title: Load\n  needs: [pack, clean]\n",
    "spec-kit": "## Phase 1: X\n- [ ] T001 Pack\n- [ ] T002 Load (depends on T001, T009)\n",
    "kiro": "# Implementation Plan\n- [ ] 1. Pack\n- [ ] 2. Load\n  - Depends on: 9\n  - _Requirements: 1_\n",
    "spec-kitty": (
        "# Work Packages: Move\n\n## Work Package WP01: Pack\n- [ ] T001 Pack\n\n"
        "## Work Package WP02: Load\n\n**Dependencies**: WP09\n\n- [ ] T002 Load\n"
    ),
}


def blockers(reading: Reading) -> list[str]:
    return [found.code for found in reading.findings if found.blocks]


@pytest.mark.parametrize("name", list(_UNKNOWN))
def test_ad1_an_unknown_dependency_of_open_work_blocks(name: str) -> None:
    reading = read(_UNKNOWN[name], frozenset())
    assert blockers(reading) == ["unknown-dependency"]
    assert reading.plan
    again = read(render_plan(reading.plan), frozenset())
    assert again.plan == reading.plan, "AD-5"
    (step,) = [step for step in reading.plan.steps() if step.title == "Load"]
    (lost,) = [need.key for need in step.needs if need.key not in {one.key for one in reading.plan.steps()}]
    freed = read(_UNKNOWN[name], frozenset(), None, ((step.key, lost),))
    assert blockers(freed) == []


@pytest.mark.parametrize("name", [name for name in _UNKNOWN if name not in ("table", "yaml")])
def test_wf8_an_unknown_dependency_of_finished_work_holds_nothing(name: str) -> None:
    assert blockers(read(_UNKNOWN[name].replace("[ ]", "[x]"), frozenset())) == []


@pytest.mark.parametrize("words", ["legal approval", "Node 20", "docker", "the schema being agreed"])
def test_ad1_what_may_be_no_dependency_is_told_and_holds_nothing(words: str) -> None:
    reading = read(f"- [ ] Pack\n- [ ] Load\n  - Depends on: {words}\n", frozenset())
    assert blockers(reading) == []
    assert "unreadable-value" in [found.code for found in reading.findings]


@pytest.mark.parametrize(
    "source",
    [
        "## Phase 1: X\n- [ ] T001 a\n- [ ] T002 b\n- [ ] T005 c (depends on T001-T005)\n",
        "## Phase 1: X\n- [ ] T001 a\n- [ ] T004 b\n- [ ] T006 c (depends on T001-T004)\n",
        "## Phase 1: X\n- [ ] T001 a\n- [ ] T001a b\n- [ ] T002 c (depends on T001a)\n",
        "- [ ] T1 a\n- [ ] T4 b\n- [ ] T6 c (depends on T1-T4)\n",
    ],
)
def test_ad1_a_range_means_the_tasks_that_are_there(source: str) -> None:
    reading = read(source, frozenset())
    assert blockers(reading) == []
    assert reading.plan
    assert list(reading.plan.steps())[-1].needs


def test_ad1_tasks_of_spec_kit_that_wait_for_one_another_block() -> None:
    source = "## Phase 1: X\n- [ ] T001 a (depends on T002)\n- [ ] T002 b (depends on T001)\n"
    assert "dependency-cycle" in blockers(read(source, frozenset()))
    assert blockers(read(source.replace(" (depends on T001)", ""), frozenset())) == []


def test_b12_ranges_of_spec_kit_take_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        lines = [f"- [ ] T{n:04} a (depends on T0000-T{n - 1:04})" for n in range(1, count)]
        source = "\n".join(["## Phase 1: X", "- [ ] T0000 a", *lines])
        before = process_time()
        reading = read(source, frozenset())
        took = process_time() - before
        assert reading.plan
        assert sum(len(step.needs) for step in reading.plan.steps()) <= 20_000
        return took

    seconds(400)
    assert seconds(1_600) <= 2.3 * 2.3 * seconds(400) + 0.1
