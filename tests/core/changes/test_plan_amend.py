"""Steps that a running step adds: where they stand in the text, and that nothing else changes (AD-8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.changes.amend import NewTask, is_listed, keyed_tasks, misread, with_steps
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.reading.markdown import read_plan

THREADS = """# Plan: Threads

##### Batch 01: one

###### Thread 01: listed

**Tasks:**

- [ ] A1: First (parallel)
  - Exit: done

  - May add: 3
- [ ] A2: Beside (parallel)

  ```
  - A9: no step
  ```

- [ ] A3: Last

###### Thread 02: whole
- May add: 2

##### Gate: All of it
"""
BATCH = "# Plan: Batch\n\n### Batch 1\n\n- **A1:** One\n- **B1:** Two\n- **A2:** Three\n\nSome text.\n"
SERIAL = (
    "# Plan: Serial\n\n### Batch 1 (Sequential)\n\n- A1: One\n- B1: Two\n\n### Batch 2\n- C1: "
    "Three (needs A1)\n"
)
NUMBERED = "# Plan: x\n\n### Stage 1: s\n##### Batch 01: b\n###### Thread 01: t\n- Task 01.01.01.01: One\n"


def plan_of(source: str) -> Plan:
    plan = read_plan(source).plan
    assert plan is not None
    return plan


def threads(plan: Plan) -> list[list[str]]:
    found: dict[tuple[int, ...], list[str]] = {}
    for placed in plan.placed_steps():
        found.setdefault(placed.place[:3], []).append(placed.step.key)
    return list(found.values())


@pytest.mark.parametrize(
    ("source", "by", "keys", "stand"),
    [
        (THREADS, "A1", ["A1-1", "A1-2"], ["A1", "A2", "A1-1", "A1-2", "A3"]),
        (THREADS, "A3", ["A3-1", "A3-2"], ["A1", "A2", "A3", "A3-1", "A3-2"]),
        (BATCH, "A1", ["A1-1", "A1-2"], ["A1", "A2", "A1-1", "A1-2"]),
        (BATCH, "B1", ["B1-1", "B1-2"], ["B1", "B1-1", "B1-2"]),
        (SERIAL, "A1", ["A1-1", "A1-2"], ["A1", "A1-1", "A1-2"]),
        (NUMBERED, "01.01.01.01", ["01.01.01.01.01", "01.01.01.01.02"], ["01.01.01.01", "01.01.01.01.01"]),
    ],
)
def test_added_steps_stand_behind_the_step_in_its_thread(
    source: str, by: str, keys: list[str], stand: list[str]
) -> None:
    plan = plan_of(source)
    text, named = with_steps(source, plan, by, (NewTask("More", "seen"), NewTask("Even more")))
    assert [task.key for task in named] == keys
    amended = plan_of(text)
    assert misread(plan, amended, by, named) == ""
    thread = next(keys for keys in threads(amended) if by in keys)
    assert thread[: len(stand)] == stand
    added = {step.key: step for step in amended.steps()}[keys[0]]
    assert (added.exit, added.added_by, added.parallel) == (("seen",), by, False)
    again, later = with_steps(text, amended, by, (NewTask("Third"),))
    assert misread(amended, plan_of(again), by, later) == ""


def test_a_line_may_choose_the_key() -> None:
    assert keyed_tasks("- A7: Lock the row | it is locked\nFix auth: again\n\n") == (
        NewTask("Lock the row", "it is locked", "A7"),
        NewTask("Fix auth: again"),
    )


def test_a_thread_that_lists_no_steps_takes_none() -> None:
    plan = plan_of(THREADS)
    assert [key for key in ("A1", "01.01.02") if is_listed(THREADS, plan, key)] == ["A1"]
    assert next(step.may_add for step in plan.steps() if step.key == "01.01.02") == 0


@pytest.mark.parametrize("title", ["x (needs B1)", "x (parallel)", "", "**x**: y (needs A2)"])
def test_a_title_that_says_more_than_a_title_is_noticed(title: str) -> None:
    plan = plan_of(BATCH)
    text, named = with_steps(BATCH, plan, "A1", (NewTask(title),))
    assert misread(plan, plan_of(text), "A1", named) == "A1-1"


def test_a_key_of_another_lane_is_noticed() -> None:
    plan = plan_of(BATCH)
    text, named = with_steps(BATCH, plan, "A1", (NewTask("x", key="B7"),))
    assert misread(plan, plan_of(text), "A1", named) == "B7"


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_typed_the_rest_of_the_plan_stays_or_it_is_noticed(title: str, proof: str) -> None:
    plan = plan_of(THREADS)
    text, named = with_steps(THREADS, plan, "A1", (NewTask(title, proof),))
    amended = read_plan(text).plan
    if amended is not None and not misread(plan, amended, "A1", named):
        assert [step.key for step in amended.steps() if step.key != "A1-1"] == [
            step.key for step in plan.steps()
        ]
        assert [step.added_by for step in amended.steps() if step.added_by] == ["A1"]
