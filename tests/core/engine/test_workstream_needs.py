"""Circles and order among workstreams (AD-3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.engine.workstream_needs import circle_through, in_order

NAMES = st.sampled_from("abcdefg")


def test_a_circle_is_named_along_the_needs() -> None:
    needs = {"a": {"b", "x"}, "b": {"c"}, "c": {"a"}, "x": set()}
    assert circle_through("a", needs) == ("a", "b", "c", "a")
    assert circle_through("x", needs) == ()
    assert circle_through("a", {"a": {"a"}}) == ("a", "a")


def test_the_order_is_by_needs_then_by_name() -> None:
    assert in_order({"a": {"c"}, "b": set(), "c": {"elsewhere"}, "d": {"a"}}) == ["b", "c", "a", "d"]
    with pytest.raises(ValueError, match="a, b"):
        in_order({"a": {"b"}, "b": {"a"}})


@given(st.dictionaries(NAMES, st.sets(NAMES, max_size=3), max_size=7))
def test_there_is_an_order_exactly_when_nothing_is_in_a_circle(needs: dict[str, set[str]]) -> None:
    circles = [name for name in needs if circle_through(name, needs)]
    if any(circles):
        with pytest.raises(ValueError):
            in_order(needs)
        return
    order = in_order(needs)
    assert sorted(order) == sorted(needs)
    for name in order:
        assert all(order.index(one) < order.index(name) for one in needs[name] if one in needs)
