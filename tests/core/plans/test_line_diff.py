"""Texts compared line by line, and comments that follow their lines (WF-3)."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.plans.text.anchors import follow
from orchestrator.core.plans.text.line_diff import diff, unchanged

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "  - Exit: done", "- S1: step"]), max_size=30)


@given(TEXTS, TEXTS)
def test_wf3_both_texts_can_be_read_from_the_comparison(old, new):
    lines = diff(old, new)
    assert [line.text for line in lines if line.kind != "ins"] == old
    assert [line.text for line in lines if line.kind != "dele"] == new
    assert [line.number for line in lines if line.kind != "dele"] == list(range(1, len(new) + 1))
    assert all("".join(text for text, _ in line.pieces) == line.text for line in lines if line.pieces)


@given(TEXTS, TEXTS)
def test_wf3_pairs_of_unchanged_lines_ascend_and_are_equal(old, new):
    pairs = unchanged(old, new)
    assert all(old[a] == new[b] for a, b in pairs)
    assert all(x < y and v < w for (x, v), (y, w) in pairwise(pairs))


def test_wf3_changed_words_are_marked():
    removed, added = diff(["- B2 Rate limiting, needs A1"], ["- B2 Rate limiting, needs B1"])
    assert [text for text, changed in removed.pieces if changed] == ["A1"]
    assert [text for text, changed in added.pieces if changed] == ["B1"]


def test_wf3_a_large_text_with_nothing_in_common_counts_as_replaced():
    lines = diff(["same"] * 2_000 + ["old"], ["other"] * 2_000)
    assert (sum(line.kind == "dele" for line in lines), sum(line.kind == "ins" for line in lines)) == (
        2_001,
        2_000,
    )


@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=12))
def test_wf3_edits_elsewhere_never_lose_a_comment(line, edits):
    old = [f"line {n}" for n in range(1, 41)]
    new = list(old)
    for at, cut in edits:
        at = min(at, len(new) - 1)
        if cut and new[at] != old[line - 1]:
            del new[at]
        else:
            new.insert(at, f"new {at}")
    found = follow([line], old, new)
    assert new[found[line] - 1] == old[line - 1]


def test_wf3_a_changed_line_outdates_its_comment_and_a_moved_one_does_not():
    old = ["# Plan", "- A1: one", "- A2: two", "- A3: three"]
    assert follow([2], old, ["# Plan", "- A1: one and more", "- A2: two", "- A3: three"]) == {}
    assert follow([2], old, ["# Plan", "- A2: two", "- A3: three", "- A1: one"]) == {2: 4}
    assert follow([9], old, old) == {}
