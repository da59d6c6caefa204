"""FR-016: what is suggested for a new version, on changes as people make them to plans."""

import pytest

from orchestrator.core.changes.judge import definition_of
from orchestrator.core.changes.suggestions import suggest
from orchestrator.core.plans.reading.markdown import read_plan

PLAN = """# Plan: Card refunds

## Stages

### Stage 1: Build

##### Batch 01: foundations

###### Thread 01: ledger
- A1: Ledger entries for refunds
  - Exit: entries balance to zero
- A2: Ledger report
  - Exit: report shows refunds
- A3: Build the refund API and the refund pages
  - Exit: contract tests pass
  - Exit: pages work without JavaScript

###### Thread 02: gateway
- B1: Gateway call
  - Exit: reviewed
- B2: Retry the gateway call
  - Exit: reviewed

##### Gate G1: Review
- Kind: review
- Reviewers: reviewer
"""
Line = tuple[str, str, bool]


def lines(*changes: tuple[str, str], start: str = PLAN) -> set[Line]:
    """What is suggested after these replacements in the plan's text: old keys, new keys, whether it is a
    guess.
    """
    text = start
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    sides = []
    for source in (start, text):
        plan = read_plan(source).plan
        assert plan is not None
        sides.append([definition_of(placed) for placed in plan.placed_steps()])
    assert suggest(*sides) == suggest(*sides)
    return {("+".join(line.old), "+".join(line.new), line.suggested) for line in suggest(*sides)}


KEPT = {(key, key, False) for key in ("A1", "A2", "A3", "B1", "B2", "G1")}


def but(*found: Line) -> set[Line]:
    """Everything stays but these."""
    touched = {key for old, new, _ in found for key in [*old.split("+"), *new.split("+")]}
    return {line for line in KEPT if line[0] not in touched} | set(found)


def test_fr016_what_does_not_change_stays_without_a_guess() -> None:
    assert lines() == KEPT


def test_fr016_a_renamed_key_with_the_same_title() -> None:
    assert lines(("A2: Ledger report", "R7: Ledger report")) == but(("A2", "R7", True))


def test_fr016_a_renamed_key_and_reworded_title_in_its_thread() -> None:
    assert lines(("A2: Ledger report", "R7: Report of the ledger as CSV")) == but(("A2", "R7", True))


def test_fr016_a_renamed_step_is_known_by_its_criterion() -> None:
    assert lines(("A2: Ledger report", "R7: Monthly overview")) == but(("A2", "R7", True))


def test_fr016_a_criterion_that_many_steps_have_says_nothing() -> None:
    assert lines(("B1: Gateway call", "K1: Sign contracts")) == but(("B1", "", False), ("", "K1", False))


def test_fr016_the_same_key_with_a_slightly_other_title_is_certain() -> None:
    assert lines(("A1: Ledger entries for refunds", "A1: Ledger entries for all cards")) == KEPT


def test_fr016_the_same_key_with_quite_another_title_is_a_guess() -> None:
    changed = (
        "A2: Ledger report\n  - Exit: report shows refunds",
        "A2: Migrate currencies\n  - Exit: no float left",
    )
    assert lines(changed) == but(("A2", "A2", True))


def test_fr016_keys_that_were_numbered_anew_follow_their_titles() -> None:
    found = lines(
        ("A2: Ledger report", "A3: Ledger report"),
        ("A3: Build", "A4: Build"),
        ("- A1: Ledger", "- A1: Choose a currency library\n  - Exit: chosen\n- A2: Ledger"),
    )
    assert found == but(("A1", "A2", True), ("A2", "A3", True), ("A3", "A4", True), ("", "A1", False))


def test_fr016_two_steps_that_swapped_their_keys() -> None:
    found = lines(
        ("A1: Ledger", "X: Ledger"), ("A2: Ledger report", "A1: Ledger report"), ("X: Ledger", "A2: Ledger")
    )
    assert found == but(("A1", "A2", True), ("A2", "A1", True))


def test_fr016_a_step_that_moved_to_another_thread_under_another_key() -> None:
    found = lines(
        ("- A2: Ledger report\n  - Exit: report shows refunds\n", ""),
        ("- B1: Gateway", "- B0: Ledger report\n  - Exit: report shows refunds\n- B1: Gateway"),
    )
    assert found == but(("A2", "B0", True))


@pytest.mark.parametrize(
    "keys",
    [("A3a", "A3b"), ("A3-1", "A3-2"), ("A3", "A4"), ("C1", "C2")],
    ids=lambda keys: " and ".join(keys),
)
def test_fr016_a_split_step_becomes_both_parts(keys: tuple[str, str]) -> None:
    whole = PLAN[PLAN.index("- A3:") : PLAN.index("###### Thread 02")]
    parts = (
        f"- Task {keys[0]}: Build the refund API\n  - Exit: contract tests pass\n"
        f"- Task {keys[1]}: Build the refund pages\n  - Exit: pages work without JavaScript\n\n"
    )
    assert lines((whole, parts)) == but(("A3", "+".join(keys), True))


@pytest.mark.parametrize("key", ["A1", "A5"])
def test_fr016_merged_steps_become_one(key: str) -> None:
    found = lines(
        ("A1: Ledger entries for refunds", f"{key}: Ledger entries and report"),
        ("- A2: Ledger report\n  - Exit: report shows refunds\n", ""),
    )
    assert found == but(("A1+A2", key, True))


def test_fr016_a_merge_is_known_by_its_criteria() -> None:
    found = lines(
        (
            "  - Exit: entries balance to zero\n",
            "  - Exit: entries balance to zero\n  - Exit: report shows refunds\n",
        ),
        ("- A2: Ledger report\n  - Exit: report shows refunds\n", ""),
    )
    assert found == but(("A1+A2", "A1", True))


def test_fr016_a_new_step_beside_unchanged_ones_is_no_split() -> None:
    found = lines(("- A2: Ledger", "- A1a: Ledger locks\n  - Exit: race test passes\n- A2: Ledger"))
    assert found == but(("A1", "A1", False), ("", "A1a", False))


def test_fr016_a_dropped_step_is_no_merge() -> None:
    assert lines(("- B2: Retry the gateway call\n  - Exit: reviewed\n", "")) == but(("B2", "", False))


def test_fr016_a_gate_that_became_a_step_under_its_key_is_a_guess_at_most() -> None:
    gate = "##### Gate G1: Review\n- Kind: review\n- Reviewers: reviewer\n"
    assert lines((gate, "##### Batch 02: more\n\n- G1: Review\n")) == but(("G1", "G1", True))
    assert lines((gate, "##### Batch 02: more\n\n- H1: Review\n")) == but(
        ("G1", "", False), ("", "H1", False)
    )
