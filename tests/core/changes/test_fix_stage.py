"""WF-5: how a fix stage is written, prefilled and appended; the rest of the plan stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.changes.amend import NewTask
from orchestrator.core.changes.fix_stage import (
    FixProblem,
    NewBatch,
    NewStage,
    NewThread,
    is_appended,
    name_from,
    read_batches,
    tasks_from,
    with_stage,
)
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.reading.markdown import read_plan

PLAN = """# Plan: Two stages

### Stage 1: Build

##### Batch 01: first

###### Thread 01: one
- A1: Build it

##### Gate: EV1
- Kind: evaluation

### Stage 2: Ship

##### Batch 01: ship

###### Thread 01: two
- B1: Ship it (needs A1)
"""
LOOSE = "# Plan: Loose\n\n### Batch 1\n\n- A1: One\n- B1: Two (needs A1)\n"
RACE = FixProblem("A1", "Build it", "rejected", "Two tokens are accepted at once.", ("the race test passes",))


def plan_of(text: str) -> Plan:
    plan = read_plan(text).plan
    assert plan is not None
    return plan


def test_headings_make_batches_and_threads() -> None:
    text = """
##### Batch 01: fixes
###### Thread 01: tokens
- Lock the row | the race test passes
###### Thread: log
- Say it in the log

# Batch: verification
Run everything
"""
    assert read_batches(text) == (
        NewBatch(
            "fixes",
            (
                NewThread("tokens", (NewTask("Lock the row", "the race test passes"),)),
                NewThread("log", (NewTask("Say it in the log"),)),
            ),
        ),
        NewBatch("verification", (NewThread("verification", (NewTask("Run everything"),)),)),
    )


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("- One\n  - Exit: it is seen", NewTask("One", "it is seen")),
        ("One\n**Acceptance criteria:** it is seen", NewTask("One", "it is seen")),
        ("1. One | before\n\n   * exit: after", NewTask("1. One", "before; after")),
        ("- Exit the loop early", NewTask("Exit the loop early")),
    ],
)
def test_an_exit_line_below_a_task_is_its_criterion_and_no_second_task(text: str, task: NewTask) -> None:
    assert read_batches(text) == (NewBatch("fixes", (NewThread("fixes", (task,)),)),)
    stage = NewStage("more", read_batches(text))
    amended = plan_of(with_stage(PLAN, plan_of(PLAN), stage))
    assert is_appended(plan_of(PLAN), amended, stage)
    (step,) = amended.stages[-1].batches[0].threads[0].steps
    assert step.exit == (task.proof,)


def test_an_exit_line_without_a_task_above_it_is_refused() -> None:
    with pytest.raises(InvalidInput, match="“Exit: seen” stands above the first task"):
        read_batches("- Exit: seen\n- One")


def test_tasks_alone_get_a_batch_and_a_thread() -> None:
    assert read_batches("- One\n\nTwo | seen") == (
        NewBatch("fixes", (NewThread("fixes", (NewTask("One"), NewTask("Two", "seen"))),)),
    )
    assert read_batches(" \n\n") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Batch: a\n# Batch: b\n- x", "Line 1: the batch “a” has no task"),
        ("- x\n## Thread: t", "Line 2: the thread “t” has no task"),
        ("# Batch: a\n## Thread: t\n\n## Thread: u\n- x", "Line 2: the thread “t” has no task"),
    ],
)
def test_a_heading_without_a_task_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_batches(text)


@pytest.mark.parametrize(("source", "after"), [(PLAN, 0), (PLAN, 1), (PLAN, None), (LOOSE, None)])
def test_what_is_prefilled_reads_as_a_stage_and_nothing_else_changes(source: str, after: int | None) -> None:
    before = plan_of(source)
    problems = [RACE, FixProblem("B1", "Ship it", "failed", "It (really) | broke `here` # now")]
    stage = NewStage(name_from(problems, ""), read_batches(tasks_from(problems, "EV1")), after, gate=True)
    amended = plan_of(with_stage(source, before, stage))
    assert is_appended(before, amended, stage)
    added = amended.stages[len(before.stages) if after is None else after + 1]
    assert added.slug == f"stage-{len(before.stages) + 1}-fix-two-tokens-are-accepted-at-once"
    assert [batch.name for batch in added.batches][:2] == ["fixes", "verification"]
    assert [thread.name for thread in added.batches[0].threads] == ["A1", "B1"], (
        "a lane for each step that failed"
    )
    assert added.batches[0].threads[0].steps[0].exit == ("the race test passes",)
    assert added.batches[-1].threads[0].steps[-1].gate is not None, "it ends with an evaluation of its own"


def test_without_a_problem_it_can_be_submitted_as_well() -> None:
    stage = NewStage(name_from([], "EV1 findings"), read_batches(tasks_from([], "EV1")), 0, gate=True)
    assert stage.name == "fix ev1 findings"
    assert is_appended(plan_of(PLAN), plan_of(with_stage(PLAN, plan_of(PLAN), stage)), stage)


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from([PLAN, LOOSE]))
def test_whatever_went_wrong_the_prefilled_stage_is_one(said: str, criterion: str, source: str) -> None:
    problems = [
        FixProblem(
            "A1", "Build it", "failed", " ".join(said.split()), (criterion,) if criterion.strip() else ()
        )
    ]
    stage = NewStage(name_from(problems, "EV1"), read_batches(tasks_from(problems, "EV1")), None, gate=True)
    before = plan_of(source)
    assert is_appended(before, plan_of(with_stage(source, before, stage)), stage)


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_typed_the_rest_of_the_plan_stays_or_it_is_noticed(name: str, task: str) -> None:
    try:
        batches = read_batches(task)
    except InvalidInput:
        return
    stage = NewStage(name, batches, 0, gate=True)
    before = plan_of(PLAN)
    amended = read_plan(with_stage(PLAN, before, stage)).plan
    if batches and amended is not None and is_appended(before, amended, stage):
        titles = [
            step.title
            for stage in (amended.stages[0], amended.stages[2])
            for step in stage.batches[0].threads[0].steps
        ]
        assert titles == ["Build it", "Ship it"]
        assert len(amended.stages) == 3
