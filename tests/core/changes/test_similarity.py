"""What makes two workstreams look alike (FR-003)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.changes.similarity import ALIKE, likeness, reasons, shared_patterns, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Card refunds", "card  REFUNDS!"),
        ("Refunds by card", "By card: refunds"),
        ("Prix réduits", "prix reduits"),
        ("Quotes in four currencies", "Quotes in five currencies"),
        ("Card refunds", "Card refund"),
    ],
)
def test_titles_that_a_person_would_compare(one: str, other: str) -> None:
    assert likeness(one, other) >= ALIKE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Quotes in four currencies", "Opening hours on every page"),
        ("Returns without a printed label", "Stocktaking by hand-held scanner"),
        ("Price book", "Tax rates"),
        ("", "Card refunds"),
        ("!!!", "???"),
    ],
)
def test_titles_that_are_no_suspicion(one: str, other: str) -> None:
    assert likeness(one, other) < ALIKE


@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_symmetric_and_between_0_and_1(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == (1.0 if words_of(one) else 0.0)


def test_shared_patterns_are_the_first_few_that_can_own_the_same_file() -> None:
    mine = ["services/auth/**", "docs/*.md", "a/**", "b/**", "c/**"]
    assert shared_patterns(mine, ["services/**"]) == ("`services/auth/**` and `services/**`",)
    assert shared_patterns(mine, mine) == ("`services/auth/**`", "`docs/*.md`", "`a/**`")
    assert shared_patterns(mine, ["elsewhere/**"]) == ()


def test_reasons_say_what_was_found() -> None:
    assert reasons(0.823, ("`a/**`",)) == ("title 82 % alike", "both own `a/**`")
    assert reasons(ALIKE - 0.01, ()) == ()
