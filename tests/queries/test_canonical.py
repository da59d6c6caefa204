"""Canonical JSON: the quick writer and the library's say the same, byte for byte (FR-009)."""

from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.queries.base import canonical as module
from orchestrator.queries.base.canonical import LARGEST, canonical


class Word(StrEnum):
    ONE = "one"


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST, LARGEST)
    | TEXT
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUE = st.recursive(
    LEAF, lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXT, part, max_size=4), max_leaves=20
)


@given(VALUE)
def test_fr009_whatever_json_has_is_written_as_the_library_writes_it(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        {"\u20ac": 1, "\U0001f600": 2, "\ufb33": 3},  # sorted by UTF-16, not by code points
        {"b": Word.ONE, "a": (1, '\x00\x1f\x7f\u2028\\"/')},
        {"n": 1e21, "m": 0.1, "z": -0.0},
        LARGEST,
        -LARGEST,
    ],
)
def test_fr009_what_the_two_would_write_differently_is_the_librarys(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [LARGEST + 1, {1: "a"}, "\ud800", float("nan"), {"a": object()}])
def test_fr009_what_json_has_not_is_refused(value: Any) -> None:
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)):
        canonical(value)


def test_fr009_plain_facts_take_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module.rfc8785, "dumps")
    assert canonical({"b": [1, True, None], "a": "é"}) == '{"a":"é","b":[1,true,null]}'.encode()
