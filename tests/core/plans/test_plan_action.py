"""BX-3: a gate that names a tool runs it as a step of its own before it.

A gate itself is never conditional.
"""

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.plan import Plan, StepSpec
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.rehearsing.preview import preview
from orchestrator.core.terms import Format

LANES = "### Batch 1\n- A1: x\n  - Exit: a\n- B1: y\n  - Exit: b\n"
MERGE = LANES + "### Merge Point MP1\n- Trigger: A1 + B1 complete\n- Action: Integration test\n"
TOOL = "- Tool: pytest\n- Run: `pytest -q tests/integration`\n- Files: `reports/**`\n"


def plan_of(source: str) -> Plan:
    plan = read_plan(source).plan
    assert plan is not None
    return plan


def steps(source: str) -> dict[str, StepSpec]:
    return {step.key: step for step in plan_of(source).steps()}


def test_bx3_the_action_takes_over_what_the_gate_would_run_and_wait_for() -> None:
    found = steps(MERGE + TOOL)
    action, gate = found["MP1.run"], found["MP1"]
    assert [need.key for need in action.needs] == ["A1", "B1"]
    assert (action.tool, action.run, action.files) == (
        "pytest",
        "pytest -q tests/integration",
        ("reports/**",),
    )
    assert action.exit == ("The action succeeds: Integration test",)
    assert action.gate is None
    assert [(need.key, need.inferred) for need in gate.needs] == [("MP1.run", True)]
    assert (gate.tool, gate.run, gate.files) == ("", "", ())


def test_bx3_the_reviewer_is_told() -> None:
    found = [f for f in read_plan(MERGE + TOOL).findings if f.code == "inferred-action"]
    assert [f.message for f in found] == [
        "MP1 runs pytest -q tests/integration as step MP1.run; it is signed when that is complete."
    ]


def test_bx3_the_preview_runs_it_between_the_lanes_and_the_gate() -> None:
    assert preview(plan_of(MERGE + TOOL)).launches == (("A1", "B1"), ("MP1.run",), ("MP1",))


def test_bx3_without_a_tool_a_gate_stands_alone() -> None:
    assert list(steps(MERGE)) == ["A1", "B1", "MP1"]


def test_bx3_its_key_never_clashes() -> None:
    taken = MERGE + TOOL + "### Batch 2\n- Task MP1.run: mine\n  - Exit: c\n"
    assert list(steps(taken)) == ["A1", "B1", "MP1.run-2", "MP1", "MP1.run"]


def test_bx3_an_unknown_trigger_is_said_once() -> None:
    source = LANES + "### Merge Point MP1\n- Trigger: A1 + Z9 complete\n" + TOOL
    found = [
        f
        for f in read(source.encode(), frozenset({"pytest"}), Format.PLAN).findings
        if f.code == "unknown-dependency"
    ]
    assert len(found) == 1


def test_bx3_estimates_of_the_lanes_still_count() -> None:
    source = (MERGE + TOOL).replace("Exit: a", "Estimate: 9m").replace("Exit: b", "Estimate: 1m")
    assert preview(plan_of(source)).critical_path == ("A1", "MP1.run", "MP1")


def test_fr006_more_signatures_than_people_block_the_plan() -> None:
    source = (MERGE + "- Reviewers: rita, otto\n- Approvals: 3\n").encode()
    found = [f for f in read(source, frozenset(), Format.PLAN).findings if f.code == "too-few-reviewers"]
    assert [f.blocks for f in found] == [True]
    enough = source.replace(b"otto", b"reviewer")
    assert "too-few-reviewers" not in [f.code for f in read(enough, frozenset(), Format.PLAN).findings]
