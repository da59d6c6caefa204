"""The bytes of a row are its canonical JSON, by the library that knows every rule (FR-009)."""

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.sealing.rows import row_bytes
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
