"""Where a command writes: a bar on terminals only, and quiet when the reader has left."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.management.printed import counted

ROOT = Path(__file__).resolve().parents[2]


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def test_long_work_is_counted_on_a_terminal_alone() -> None:
    seen, piped = Screen(terminal=True), Screen(terminal=False)
    assert list(counted(["a", "b"], seen)) == list(counted(["a", "b"], piped)) == ["a", "b"]
    assert "0 of 2" in seen.getvalue()
    assert seen.getvalue().endswith("2 of 2\n")
    assert piped.getvalue() == ""


@pytest.mark.parametrize("arguments", [["help"], ["list_refusals"]])
def test_a_command_whose_reader_leaves_ends_quietly(arguments: list[str], tmp_path: Path) -> None:
    """As behind `head -1`: nothing is said, and nothing of Python's own."""
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
