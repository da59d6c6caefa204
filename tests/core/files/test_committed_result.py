"""The reader of result files takes exactly what the published schema takes, and never anything else than a
refusal.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import InvalidInput
from orchestrator.core.files.committed_result import AttemptName, is_result, read_result

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "orchestrator/schema/committed-result.schema.json").read_text()
)
VALID: dict[str, Any] = {
    "schemaVersion": "1.0",
    "attemptId": "refunds/A1/2",
    "token": 3,
    "eventType": "attempt-completed",
    "timestamp": "2026-03-04T12:00:00Z",
    "outcome": "Done.",
    "evidence": {"unit tests pass": "42 passed"},
    "outputs": ["ledger.md"],
}
#: Values of every kind for every member.
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**53 - 1),
    st.sampled_from(
        [
            "",
            " ",
            "1.0",
            "a/b/1",
            "a/b/0",
            "/b/1",
            "attempt-failed",
            "breadcrumb",
            "2026-03-04T12:00:00+01:00",
        ]
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=70),
    st.lists(st.sampled_from(["a", "b", "", 1]), max_size=3),
    st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", 1]), max_size=2),
)
MEMBERS = st.dictionaries(st.sampled_from([*SCHEMA["properties"], "status"]), VALUES, max_size=4)


def taken(content: bytes) -> bool:
    try:
        read_result(content)
    except InvalidInput:
        return False
    return True


@given(changed=MEMBERS, left_out=st.sets(st.sampled_from([*VALID]), max_size=1))
def test_fr029_reader_and_schema_agree(changed: dict[str, Any], left_out: set[str]) -> None:
    value = {name: one for name, one in {**VALID, **changed}.items() if name not in left_out - changed.keys()}
    says = jsonschema.Draft202012Validator(SCHEMA).is_valid(value)
    assert taken(json.dumps(value).encode()) == says


@given(st.binary(max_size=200))
def test_b38_any_bytes_are_refused_by_name(content: bytes) -> None:
    assert not taken(content)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 2}', "a stands twice"),
        ('{"schemaVersion": "1.0", "token": 9007199254740992}', "too large"),
        ('\ufeff{"schemaVersion": "1.0"}', "byte order mark"),
        ('{"schemaVersion": 1.0}', "1.0; this orchestrator reads 1.0"),
        ("{}", "missing; this orchestrator reads 1.0"),
        ('{"schemaVersion": "1.0"}', "attemptId is missing"),
    ],
)
def test_b38_the_refusal_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_result(text.encode())


def test_a_step_key_may_hold_slashes() -> None:
    found = read_result(json.dumps({**VALID, "attemptId": "refunds/A/1/2"}).encode())
    assert found.attempt == AttemptName("refunds", "A/1", 2)


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("result.json", True),
        ("a/result.json", True),
        ("a/A1.result.json", True),
        ("myresult.json", False),
        ("result.json/x", False),
    ],
)
def test_result_files_are_told_by_name(path: str, is_one: bool) -> None:
    assert is_result(path) == is_one
