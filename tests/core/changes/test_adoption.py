"""What becomes of the state a source tells: invariants over random plans, and the sentences that people read
(WF-8).
"""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import strategies as st

from orchestrator.core.changes.adoption import Adopted, AdoptedAs, adopt, unchanged
from orchestrator.core.engine.ancestry import ancestors
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.plan import Plan, Progress
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.rehearsing.rehearsal import never_reached
from orchestrator.core.plans.rehearsing.script import view_of
from orchestrator.core.terms import TERMINAL_TASK, TaskStatus
from tests.core.plans.random_plans import plans
from tests.examples import tried_on

TWO = """# Plan: Two

### Stage 1: Build

##### Batch 01: first

###### Thread 01: a
- A1: one
- A2: two

###### Thread 02: b
- B1: three

### Merge Point MP1
- **Trigger:** A2 + B1 complete

##### Batch 02: second

###### Thread 01: c
- C1: four
"""


def said(**statuses: str) -> list[Progress]:
    return [Progress(key, TaskStatus(status), 3, report=f"{key} it was") for key, status in statuses.items()]


def becomes(source: str, **statuses: str) -> dict[str, AdoptedAs]:
    plan = read_plan(source).plan
    assert plan
    return {one.key: one.becomes for one in adopt(plan, said(**statuses)).verdicts}


@st.composite
def told(draw: st.DrawFn) -> tuple[Plan, list[Progress]]:
    plan = draw(plans())
    if draw(st.booleans()):
        plan = plan.with_steps(lambda step: replace(step, outcomes=()))
    keys = sorted(step.key for step in plan.steps())
    # Mostly complete, or nothing would ever be adopted behind the first batch.
    words = draw(st.sampled_from([[TaskStatus.COMPLETE], [TaskStatus.COMPLETE] * 6 + list(TaskStatus)]))
    some = draw(st.lists(st.sampled_from(keys), unique=True)) if draw(st.booleans()) else keys
    return plan, [Progress(key, draw(st.sampled_from(words))) for key in some]


@tried_on(15, 100, case=told())
def test_wf8_what_is_adopted_the_order_rules_would_have_let_happen(case: tuple[Plan, list[Progress]]) -> None:
    plan, progress = case
    steps = {placed.step.key: placed for placed in plan.placed_steps()}
    found = {one.key: one for one in adopt(plan, progress).verdicts}
    status = {key: found[key].status if key in found else TaskStatus.PENDING for key in steps}
    views = [view_of(placed) for placed in steps.values()]
    for key, one in found.items():
        step = steps[key].step
        assert one.because
        if step.gate:
            assert one.becomes in {AdoptedAs.SIGNED_HERE, AdoptedAs.BLOCKED}, (
                "gates are never adopted as signed"
            )
        if one.status is TaskStatus.COMPLETE:
            assert one.said.status is TaskStatus.COMPLETE
            before = ancestors(views, key)
            direct = {*one.before, *(need.key for need in step.needs)}
            batches = {k for k in before if steps[k].place[:2] < steps[key].place[:2]}
            open_ones = [k for k in direct | batches if status[k] not in TERMINAL_TASK]
            assert open_ones == [], "joins wait for all, and batch N+1 for batch N"
        if one.becomes is AdoptedAs.HELD:
            waiting = [k for k in ancestors(views, key) if status[k] not in TERMINAL_TASK]
            assert any(steps[k].step.gate or k.endswith(".run") for k in waiting)


@tried_on(15, 100, case=told())
def test_wf8_whatever_is_adopted_the_rest_can_be_run_to_its_end(case: tuple[Plan, list[Progress]]) -> None:
    plan, progress = case
    found = {one.key: one.status for one in adopt(plan, progress).verdicts}
    done = {key: status for key, status in found.items() if status in TERMINAL_TASK}
    views = {p.step.key: view_of(p) for p in plan.placed_steps()}
    plain = never_reached(views)
    adopted = {key: replace(view, status=done.get(key, TaskStatus.PENDING)) for key, view in views.items()}
    assert set(never_reached(adopted)) <= set(plain)


@tried_on(15, 100, case=told())
def test_wf8_signing_gate_after_gate_takes_over_all_that_was_held(case: tuple[Plan, list[Progress]]) -> None:
    """Each gate that is signed with nothing done otherwise before it lets what it held stand, and nothing
    else.
    """
    plan, progress = case
    first = adopt(plan, progress)
    held = {one.key for one in first.those(AdoptedAs.HELD)}
    settled = settled_by(plan, first.verdicts)
    taken: set[str] = set()
    for placed in plan.placed_steps():
        if placed.step.gate and not settled[placed.step.key]:
            settled[placed.step.key] = True
            more = adopt(plan, progress, {k: v for k, v in settled.items() if k not in held - taken})
            new = {one.key for one in more.those(AdoptedAs.COMPLETE)}
            assert new <= held
            assert {one.key for one in more.verdicts} <= held
            taken |= new
            settled |= dict.fromkeys(new, True)
    blocked_gates = any(one.becomes is AdoptedAs.BLOCKED for one in first.verdicts)
    assert taken == held or blocked_gates


def settled_by(plan: Plan, verdicts: tuple[Adopted, ...]) -> dict[str, bool]:
    status: Mapping[str, TaskStatus] = {one.key: one.status for one in verdicts}
    return {step.key: status.get(step.key) in TERMINAL_TASK for step in plan.steps()}


def test_wf8_each_word_of_a_source_becomes_what_the_engine_has_for_it() -> None:
    assert becomes(TWO, A1="complete", A2="active", B1="blocked", MP1="complete", C1="complete") == {
        "A1": AdoptedAs.COMPLETE,
        "A2": AdoptedAs.RESUMED,
        "B1": AdoptedAs.BLOCKED,
        "MP1": AdoptedAs.SIGNED_HERE,
        "C1": AdoptedAs.AGAIN,
    }
    assert becomes(TWO, A1="cancelled", A2="review") == {"A1": AdoptedAs.SKIPPED, "A2": AdoptedAs.RESUMED}


def test_wf8_what_was_done_behind_a_gate_waits_for_its_signature() -> None:
    plan = read_plan(TWO).plan
    assert plan
    done = said(A1="complete", A2="complete", B1="complete", C1="complete")
    found = adopt(plan, done)
    assert found.counts == {AdoptedAs.COMPLETE: 3, AdoptedAs.HELD: 1}
    assert found.starts == ("MP1",)
    assert found.verdicts[3].because == "It stands as complete once MP1 is signed."
    settled = {"A1": True, "A2": True, "B1": True, "MP1": True}
    assert [one.becomes for one in adopt(plan, done, settled).verdicts] == [AdoptedAs.COMPLETE]
    # The gate was rejected and A2 done again here: what was done behind it rests on another result.
    (c1,) = adopt(plan, done, settled | {"A2": False}).verdicts
    assert c1.becomes is AdoptedAs.AGAIN
    assert "A2" in c1.because


def test_wf8_what_was_done_out_of_order_is_done_again_and_says_why() -> None:
    plan = read_plan(TWO).plan
    assert plan
    (one,) = adopt(plan, said(A2="complete")).verdicts
    assert (one.becomes, one.status) == (AdoptedAs.AGAIN, TaskStatus.PENDING)
    assert one.because == "It is done again: A1, which comes before it, is not done."
    assert one.breadcrumb == "A2 it was"


def test_wf8_a_step_with_outcomes_is_done_again_because_a_condition_may_ask_for_its_word() -> None:
    source = TWO.replace("- B1: three", "- B1: three\n  - Outcomes: passed, failed")
    plan = read_plan(source).plan
    assert plan
    (one,) = adopt(plan, said(B1="complete")).verdicts
    assert one.becomes is AdoptedAs.AGAIN
    assert "passed or failed" in one.because


def test_wf8_a_circle_gets_no_verdict_and_a_changed_step_no_longer_counts() -> None:
    circle = TWO.replace("- A1: one", "- A1: one (needs A2)")
    reading = read(circle, frozenset())
    assert reading.plan
    assert not adopt(reading.plan, said(A1="complete"))
    then, now = read_plan(TWO).plan, read_plan(TWO.replace("A2: two", "A2: something else")).plan
    assert then
    assert now
    assert [one.key for one in unchanged(said(A1="complete", A2="complete"), then, now)] == ["A1"]
