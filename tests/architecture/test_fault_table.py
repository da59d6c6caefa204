"""Each fault (F) and each bad input (B) that the product promises to survive has a test that names it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import tree_of

TESTS = Path(__file__).resolve().parents[1]
#: There is no F19.
FAULTS = [f"f{number}" for number in range(1, 34) if number != 19]
BAD_INPUTS = [f"b{number}" for number in range(1, 39)]
#: `f14`, or a range such as `f14_to_f16`.
NAMED = re.compile(r"(?<=_)([fb])(\d+)(?:_to_\1(\d+))?(?=_)")


def rows_of(name: str) -> Iterator[str]:
    for kind, first, last in NAMED.findall(name):
        yield from (f"{kind}{number}" for number in range(int(first), int(last or first) + 1))


def named_rows() -> set[str]:
    files = [path for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    nodes = [node for path in files for node in ast.walk(tree_of(path))]
    tests = [
        node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return {row for name in tests for row in rows_of(name)}


@pytest.fixture(scope="module")
def rows() -> set[str]:
    return named_rows()


@pytest.mark.parametrize("row", FAULTS + BAD_INPUTS)
def test_every_row_is_named_by_a_test(row: str, rows: set[str]) -> None:
    assert row in rows, f"no test is called test_…{row}_…"
