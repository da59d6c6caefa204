"""Files stay readable: one noun a file, short functions."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "orchestrator"
FILES = [p for p in PACKAGE.rglob("*.py") if "migrations" not in p.parts]
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def test_files_stay_short() -> None:
    long = {
        str(p.relative_to(PACKAGE)): n for p in FILES if (n := len(p.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_functions_stay_short() -> None:
    long = [
        f"{p.relative_to(PACKAGE)}:{node.lineno} {node.name}"
        for p in FILES
        for node in ast.walk(ast.parse(p.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []
