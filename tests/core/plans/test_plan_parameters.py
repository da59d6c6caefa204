"""Templates: values stand where their names stood, and can be nothing but text there (AD-8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.checks.read import read as read_checked
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.text.parameters import LONGEST_VALUE, parameters_of, with_values
from orchestrator.core.terms import Format

TEMPLATE = """---
domain: quality
parameters:
  component: ""  # what is tested
  test command: pytest -q
---
# Plan: Check {{component}}

## Summary
About {{ component }}.

### Batch 1: tests

- A1: Test {{component}} (needs {{component}})
  - Tool: pytest
  - Run: `{{test command}}`
  - Files: `{{component}}/**`
  - Exit: {{component}} passes

```
{{ not_ours }} ${{ matrix.os }} {{component}}
```

##### Gate: {{component}} review
- Reviewers: reviewer
"""
PLAIN = TEMPLATE.replace(" (needs {{component}})", "")
KEPT = " \"'\\#-*[](){}:|`<>&"
values = st.text(
    st.one_of(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), st.sampled_from(KEPT)), max_size=80
)


def read(source: str) -> Reading:
    return read_checked(source, frozenset({"pytest"}), Format.PLAN)


def plan_with(**given: str) -> Plan:
    reading = read(with_values(PLAIN, given))
    assert reading.plan is not None
    assert reading.blockers == ()
    return reading.plan


def test_values_stand_in_every_text() -> None:
    plan = plan_with(component="ledger")
    first, gate = plan.steps()
    assert (plan.name, plan.summary, plan.slug) == ("Check ledger", "About ledger.", "check-ledger")
    assert (first.title, first.run, first.files, first.exit) == (
        "Test ledger",
        "pytest -q",
        ("ledger/**",),
        ("ledger passes",),
    )
    assert gate.title == "ledger review"
    assert plan.stages[0].batches[0].summary.splitlines()[1] == "{{ not_ours }} ${{ matrix.os }} ledger"


@given(values.filter(str.strip))
def test_any_value_is_read_back_and_opens_nothing(value: str) -> None:
    source = with_values(PLAIN, {"component": value})
    assert len(source.split("\n")) == len(PLAIN.split("\n"))
    assert [p.value for p in parameters_of(source)] == [value.strip(), "pytest -q"]
    plain, filled = plan_with(component="x"), read(source).plan
    assert filled is not None
    assert [(p.step.key, p.place, p.step.needs, p.step.line) for p in filled.placed_steps()] == [
        (p.step.key, p.place, p.step.needs, p.step.line) for p in plain.placed_steps()
    ]
    assert next(filled.steps()).title == f"Test {value.strip()}"


@pytest.mark.parametrize(
    "value", ["### Stage 2: x", "- B1: more", "x (needs Z9)", "```", "{{test command}}", "---"]
)
def test_a_value_that_looks_like_structure_is_text(value: str) -> None:
    plan = read(with_values(PLAIN, {"component": value})).plan
    assert plan is not None
    assert [step.key for step in plan.steps()] == [step.key for step in plan_with(component="x").steps()]
    assert next(plan.steps()).title == f"Test {value}"


def test_what_is_missing_blocks_with_its_line() -> None:
    blockers = {
        (f.code, f.line) for f in read(TEMPLATE.replace("About {{ component }}", "{{nobody}}")).blockers
    }
    assert ("parameter-without-value", 4) in blockers
    assert ("unknown-parameter", 10) in blockers
    assert ("unknown-dependency", 14) in blockers, "dependencies take no parameters"


def test_the_comment_behind_a_parameter_is_its_hint_and_stays() -> None:
    declared = parameters_of(with_values(PLAIN, {"component": 'a "b" \\c'}))
    assert [(p.name, p.value, p.hint) for p in declared] == [
        ("component", 'a "b" \\c', "what is tested"),
        ("test command", "pytest -q", ""),
    ]


@pytest.mark.parametrize(
    ("given_values", "complaint"),
    [
        ({}, "Without a value: component"),
        ({"component": " "}, "Without a value: component"),
        ({"component": "x", "colour": "red"}, "no parameter “colour”"),
        ({"component": "two\nlines"}, "not one line"),
        ({"component": "x" * (LONGEST_VALUE + 1)}, "not one line"),
    ],
)
def test_values_that_do_not_fit_are_refused(given_values: dict[str, str], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        with_values(PLAIN, given_values)


def test_text_that_grows_without_measure_is_refused() -> None:
    source = with_values(PLAIN + "{{component}} " * 9000, {"component": "x" * LONGEST_VALUE})
    assert [f.code for f in read(source).blockers] == ["source-too-large"]
