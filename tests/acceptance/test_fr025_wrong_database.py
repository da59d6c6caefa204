"""FR-025: a command that finds no database, or one without tables, says so in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "command",
    [
        ["call", "GET", "/api/tasks/", "--as", "carl"],
        ["next", "--executor", "x"],
        ["mcp", "--executor", "x"],
    ],
    ids=lambda words: words[0],
)
def test_fr025_a_database_without_tables_is_a_sentence(tmp_path: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *command],
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "has no tables of the orchestrator. Set DATA_DIR" in done.stderr
    assert str(tmp_path) in done.stderr
