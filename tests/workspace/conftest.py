"""A workspace repository of its own for each test, and git to look at it from outside."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.workspace import Workspace

Git = Callable[..., str]


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "shared" / "workspace")


@pytest.fixture
def git(space: Workspace) -> Git:
    def run(*words: str) -> str:
        done = subprocess.run(["git", "-C", space.root, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run
