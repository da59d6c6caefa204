"""AD-8: a plan with parameters in place of texts, filled with its defaults, is the same plan."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from orchestrator.core.changes.parametrise import NewParameter, suggest_parameters, with_parameters
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.text.parameters import parameters_of, with_values
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.plans.texts import map_texts
from tests.cast import PLAN
from tests.core.plans.random_plans import WORDS, plans
from tests.examples import tried_on

SOURCE = PLAN.decode()
FIXTURES = sorted((Path(__file__).resolve().parents[3] / "fixtures").rglob("*.PLAN.md"))
LEDGER = NewParameter("ledger folder", "ledger", "where the entries stand")


def plan_of(source: str) -> Plan:
    plan = read_plan(source).plan
    assert plan is not None
    return plan


def same(source: str, text: str) -> bool:
    """Whether both read as the same plan, parameters aside."""
    return replace(plan_of(text), parameters=()) == replace(plan_of(source), parameters=())


@tried_on(15, 120, plan=plans(), data=st.data())
def test_ad8_filled_with_its_defaults_it_is_the_plan_that_it_was_made_of(
    plan: Plan, data: st.DataObject
) -> None:
    source = render_plan(replace(plan, parameters=()))
    texts: list[str] = []
    map_texts(plan, lambda text: texts.append(text) or text)  # type: ignore[func-returns-value]
    lines = sorted({line.strip() for text in texts for line in text.split("\n") if len(line.strip()) > 1})
    assume(lines)
    picked = data.draw(
        st.lists(st.one_of(st.sampled_from(lines), st.sampled_from(WORDS)), max_size=3, unique=True)
    )
    chosen = [NewParameter(f"p{n}", text, f"number {n}: a # b") for n, text in enumerate(picked)]
    try:
        text = with_parameters(source, chosen)
    except InvalidInput:
        assume(False)
    assert same(source, text)
    assert [(one.name, one.value, one.hint) for one in parameters_of(text)] == [
        (c.name, c.text, c.hint) for c in chosen
    ]
    assert all(f"{{{{{c.name}}}}}" in text for c in chosen)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_ad8_what_is_suggested_for_our_own_plans_can_be_done(path: Path) -> None:
    bare = path.read_text()
    source = with_values(bare, {one.name: one.value or "something" for one in parameters_of(bare)})
    found = suggest_parameters(source)
    if not found and not parameters_of(source):
        pytest.fail("the plan's name alone is worth a parameter")
    text = with_parameters(source, [NewParameter(one.name, one.text, one.hint) for one in found])
    assert same(source, text)
    again = with_values(text, {one.name: "elsewhere" for one in parameters_of(text)})
    assert read_plan(again).plan is not None


def test_ad8_other_values_change_the_words_and_nothing_else() -> None:
    text = with_parameters(SOURCE, [NewParameter("name", "Card refunds"), LEDGER])
    assert '  ledger folder: "ledger"  # where the entries stand' in text
    plan = plan_of(with_values(text, {"name": "Card payouts", "ledger folder": "books"}))
    threads = [placed.thread for placed in plan.placed_steps()]
    assert (plan.name, threads[0].name, threads[0].files) == ("Card payouts", "books", ("books/**",))
    assert [step.key for step in plan.steps()] == [step.key for step in plan_of(SOURCE).steps()]
    gate = next(step.gate for step in plan.steps() if step.gate)
    assert gate.action == "Integration test books and gateway"
    assert "Ledger report" in text, "another spelling is another text"


def test_ad8_a_word_is_not_replaced_inside_another_one() -> None:
    source = SOURCE.replace("Ledger report", "Report of the ledgers")
    assert "Report of the ledgers" in with_parameters(source, [LEDGER])


def test_ad8_the_longer_of_two_texts_wins_and_braces_of_other_tools_stay() -> None:
    source = SOURCE.replace("Gateway call", "Call ledger entries with ${{ ledger }} and $ledger")
    text = with_parameters(source, [LEDGER, NewParameter("both", "ledger entries")])
    assert "Call {{both}} with ${{ ledger }} and $ledger" in text
    assert same(source, text)


def test_ad8_parameters_that_a_plan_has_already_stay_in_place() -> None:
    source = "---\nparameters:\n  part: ledger  # the part\n---\n" + SOURCE.split("---\n", 2)[2].replace(
        "Ledger report", "Report of {{part}}"
    )
    text = with_parameters(source, [NewParameter("name", "Card refunds")])
    assert "Report of {{part}}" in text
    assert [(one.name, one.value, one.hint) for one in parameters_of(text)] == [
        ("part", "ledger", "the part"),
        ("name", "Card refunds", ""),
    ]
    with pytest.raises(InvalidInput, match="of this name already"):
        with_parameters(source, [NewParameter("part", "gateway")])


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        (NewParameter("1st", "ledger"), "start with a letter"),
        (NewParameter("", "ledger"), "start with a letter"),
        (NewParameter("a", "x" * 501), "one line of at most 500"),
        (NewParameter("a", "ledger\nreport"), "one line"),
        (NewParameter("a", " ledger"), "without blanks"),
        (NewParameter("a", "l"), "at least 2"),
        (NewParameter("a", "{{ledger"), "holds a parameter itself"),
        (NewParameter("a", "A1"), "does not stand in the plan"),
        (NewParameter("a", "nowhere"), "“nowhere” does not stand in the plan"),
        (NewParameter("a", "ledger", "two\nlines"), "description is one line"),
    ],
)
def test_ad8_what_makes_no_parameter_is_refused_by_name(parameter: NewParameter, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        with_parameters(SOURCE, [parameter])
    assert refused.value.details["field"] == (parameter.name or "parameters")


def test_ad8_a_name_that_stands_in_braces_in_the_plan_is_refused() -> None:
    source = SOURCE.replace("Customers get", "`{{who}}` stands here. Customers get")
    with pytest.raises(InvalidInput, match="stands in the plan already"):
        with_parameters(source, [NewParameter("who", "Customers")])


def test_ad8_suggested_are_name_and_repeated_folders() -> None:
    source = SOURCE.replace(
        "domain: payments\n", "domain: payments\nrepository: shop\nowner: ines\nbase_branch: dev\n"
    )
    found = {one.name: (one.text, one.places) for one in suggest_parameters(source)}
    assert found == {
        "name": ("Card refunds", 1),
        "repository": ("shop", 1),
        "base branch": ("dev", 1),
        "owner": ("ines", 1),
        "gateway": ("gateway", 3),
        "ledger": ("ledger", 3),
    }
