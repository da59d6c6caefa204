"""FR-025: a command that finds no database, or one without tables, says so in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def manage(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )


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
    (tmp_path / "orchestrator.sqlite3").touch()
    done = manage(*command, DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "has no tables of the orchestrator. Set DATA_DIR" in done.stderr
    assert str(tmp_path) in done.stderr


@pytest.mark.parametrize("words", [["why", "x"], ["create_token", "--executor", "x"]], ids=lambda w: w[0])
def test_fr025_a_command_that_asks_makes_no_installation(tmp_path: Path, words: list[str]) -> None:
    folder = tmp_path / "mistyped"
    done = manage(*words, DATA_DIR=str(folder))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert f"There is no database {folder}" in done.stderr
    assert not folder.exists()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DATA_DIR": "/etc/passwd"}, "DATA_DIR is /etc/passwd, which cannot be used"),
        ({"DATA_DIR": "/proc/nope"}, "DATA_DIR is /proc/nope, which cannot be used"),
        ({"DATABASE_URL": "garbage"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "mysql://u:secret@h/n"}, "DATABASE_URL names no database"),
    ],
    ids=str,
)
def test_fr025_wrong_settings_are_a_sentence(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    done = manage("migrate", "--check", **{"DATA_DIR": str(tmp_path), **environment})
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert said in done.stderr
    assert "secret@" not in done.stderr


def test_fr025_a_broken_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "orchestrator.sqlite3").write_text("this is no database " * 100)
    done = manage("why", "x", DATA_DIR=str(tmp_path))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert f"{tmp_path}/orchestrator.sqlite3 is no database" in done.stderr
