"""The bytes of a row are its canonical JSON, by the library that knows every rule (FR-009)."""

import json
from contextlib import suppress

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.json_text import json_text
from orchestrator.core.sealing.rows import row_bytes, rows_text
from orchestrator.queries.base.canonical import LARGEST

WHOLE = st.integers(-LARGEST, LARGEST)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
COLUMNS = st.dictionaries(
    st.from_regex("[a-z][a-z0-9_]{0,20}", fullmatch=True), st.none() | st.booleans() | WHOLE | TEXT
)


@given(TEXT, WHOLE, COLUMNS)
def test_the_bytes_of_a_row_are_canonical(kind, row_id, columns):
    said = {"kind": kind, "id": row_id, "columns": columns}
    assert row_bytes(kind, row_id, columns) == rfc8785.dumps(said)


SAID = st.dictionaries(
    TEXT | st.sampled_from(["claim", "attempt"]),
    st.fixed_dictionaries({"ids": TEXT, "root": TEXT})
    | st.fixed_dictionaries({"digests": TEXT, "ids": TEXT})
    | st.dictionaries(st.sampled_from(["digests", "ids", "root"]), TEXT | WHOLE),
)


@given(SAID, st.booleans(), st.booleans(), st.booleans())
def test_what_is_said_of_rows_has_one_text_or_none(said, ordered, tight, plain):
    separators = (",", ":") if tight else (", ", ": ")
    text = json.dumps(said, sort_keys=ordered, separators=separators, ensure_ascii=not plain)
    with suppress(ValueError, TypeError, KeyError):
        if rows_text(json.loads(text)) == text:
            assert text == json_text(said)


def test_what_entries_say_of_rows_is_its_text():
    said = {"attempt": {"digests": "ab" * 32, "ids": "3-5"}, "claim": {"ids": "7", "root": "cd" * 32}}
    assert rows_text(said) == json_text(said)
    assert rows_text({"attempt": {"ids": 'a"b', "root": ""}}) != json_text(
        {"attempt": {"ids": 'a"b', "root": ""}}
    )
    with pytest.raises(ValueError, match="order"):
        rows_text(dict(reversed(said.items())))
