"""Conditions: read back what is written, never fail on any text, and agree with a plain reading of them
(AD-8).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.engine.conditions import (
    LONGEST,
    AllOf,
    AnyOf,
    Condition,
    ConditionFact,
    ConditionUnreadable,
    Ended,
    Not,
    When,
    chosen_outcome,
    judge,
    read_condition,
    steps_named,
    tool_outcome,
    written,
)
from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import TaskStatus

KEYS = ("A1", "B2", "01.01.02")
RESULTS = ("passed", "failed")
keys, words = st.sampled_from(KEYS), st.sampled_from([*RESULTS, "complete", "skipped", "reworked"])
step_facts = st.builds(ConditionFact, keys, words, st.booleans())
settings_asked = st.builds(
    ConditionFact,
    st.sampled_from(["browser", "test command", "is"]),
    st.sampled_from(["x", "a b", "and", ""]),
    st.booleans(),
    st.just(True),
)


def _joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, parts), st.builds(AllOf, several), st.builds(AnyOf, several))


conditions = st.recursive(st.one_of(step_facts, settings_asked), _joined, max_leaves=6)


@given(conditions)
def test_a_written_condition_reads_back_as_itself(condition: Condition) -> None:
    text = written(condition)
    if len(text) <= LONGEST:
        assert read_condition(text) == condition


PIECES = [
    "A1",
    "is",
    "not",
    "and",
    "or",
    "(",
    ")",
    "passed",
    '"',
    "parameter",
    " ",
    "`",
    "\u00a0",
    "İ",
    "skipped",
]


@given(st.one_of(st.text(max_size=400), st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        condition = read_condition(text)
    except ConditionUnreadable:
        assert steps_named(text) == ()
    else:
        assert read_condition(written(condition)) == condition or len(written(condition)) > LONGEST


standings = st.builds(
    Ended, keys, st.sampled_from(list(TaskStatus)), st.sampled_from(["", *RESULTS]), st.booleans()
)  # fmt: skip


@given(conditions, st.lists(standings, unique_by=lambda ended: ended.key), st.sampled_from(["x", "a b", ""]))
def test_a_judgement_is_what_a_plain_reading_says(
    condition: Condition, steps: list[Ended], value: str
) -> None:
    """The oracle tries both answers for every fact that is open: decided means that no such
    answer matters.
    """
    text = written(condition)
    if len(text) > LONGEST:
        return
    parameters = {"browser": value, "test command": "x"}
    found = judge(When(text, tuple(steps), tuple(parameters.items()))).truth
    ended = {step.key: step for step in steps}
    open_facts = sorted({f for f in _asked(condition) if _plain(f, ended, parameters) is None}, key=str)
    answers = set()
    for guess in range(2 ** len(open_facts)):
        supposed = {fact: bool(guess >> n & 1) for n, fact in enumerate(open_facts)}
        answers.add(_oracle(condition, ended, parameters, supposed))
    if found is None:
        assert open_facts
    else:
        assert answers == {found}


def _asked(condition: Condition) -> list[tuple[str, str]]:
    if isinstance(condition, ConditionFact):
        return [] if condition.parameter else [(condition.subject, condition.word)]
    parts = [condition.part] if isinstance(condition, Not) else condition.parts
    return [fact for part in parts for fact in _asked(part)]


def _plain(fact: tuple[str, str], ended: dict[str, Ended], parameters: dict[str, str]) -> bool | None:
    step, word = ended.get(fact[0]), fact[1]
    if step is None or step.status.value not in ("complete", "skipped", "cancelled"):
        return None
    truths = {step.status.value} & {"complete", "skipped"} | ({"reworked"} if step.reworked else set())
    if step.status.value == "complete":
        truths.add(step.result)
    return word in truths


def _oracle(
    condition: Condition,
    ended: dict[str, Ended],
    parameters: dict[str, str],
    supposed: dict[tuple[str, str], bool],
) -> bool:
    if isinstance(condition, Not):
        return not _oracle(condition.part, ended, parameters, supposed)
    if isinstance(condition, AllOf):
        return all(_oracle(part, ended, parameters, supposed) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return any(_oracle(part, ended, parameters, supposed) for part in condition.parts)
    if condition.parameter:
        return (parameters.get(condition.subject, "") == condition.word) != condition.negated
    plain = _plain((condition.subject, condition.word), ended, parameters)
    return (supposed[condition.subject, condition.word] if plain is None else plain) != condition.negated


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the end stands where the key of a step is expected (column 1)"),
        ("A1", "`is` is missing behind “A1” (column 3)"),
        ("A1 is", "the end stands where an outcome is expected (column 6)"),
        ("A1 is passed B1", "“B1” stands where `and`, `or` or the end is expected (column 14)"),
        ("(A1 is passed", "a closing parenthesis is missing (column 14)"),
        ('parameter a is "b', "the quotation mark is never closed (column 16)"),
        ("not " * 40 + "A1 is passed", "it is nested more than 20 deep"),
        ("(" * 40, "it is nested more than 20 deep"),
        ("A1 is passed and " * 30, "it is longer than 300 characters"),
    ],
)
def test_an_unreadable_condition_says_what_is_wrong_and_where(text: str, complaint: str) -> None:
    with pytest.raises(ConditionUnreadable) as refused:
        read_condition(text)
    assert complaint in str(refused.value)


def test_or_binds_weaker_than_and() -> None:
    a, b, c = (ConditionFact(key, "passed") for key in ("A1", "B1", "C1"))
    assert read_condition("A1 is passed or B1 is passed and C1 is passed") == AnyOf((a, AllOf((b, c))))


def test_the_judgement_names_the_facts_it_rests_on() -> None:
    steps = (Ended("A1", TaskStatus.COMPLETE, "passed"), Ended("B1", TaskStatus.SKIPPED))
    said = judge(When("A1 is failed or B1 is complete", steps))
    assert (said.truth, said.because) == (False, "A1 is passed, B1 is skipped")


def test_ad8_a_completion_carries_a_declared_word() -> None:
    assert chosen_outcome("T1", ("passed", "failed"), " Failed ") == "failed"
    assert chosen_outcome("T1", (), "") == ""
    with pytest.raises(InvalidInput, match="T1 does not end with “broken”") as refused:
        chosen_outcome("T1", ("passed", "failed"), "broken")
    assert "passed or failed" in refused.value.way_out
    with pytest.raises(InvalidInput, match="none is named: passed or failed"):
        chosen_outcome("T1", ("passed", "failed"), " ")


@pytest.mark.parametrize(
    ("declared", "succeeded", "word"),
    [
        ((), True, ""),
        ((), False, None),
        (("passed", "failed"), True, "passed"),
        (("passed", "failed"), False, "failed"),
        (("failed", "passed"), True, "passed"),
        (("failed", "passed"), False, "failed"),
        (("clean", "findings"), True, "clean"),
        (("clean", "findings"), False, None),
        (("failed",), False, None),
    ],
)
def test_ad8_a_tool_names_the_outcome_of_its_own_end(
    declared: tuple[str, ...], succeeded: bool, word: str | None
) -> None:
    assert tool_outcome(declared, succeeded) == word
