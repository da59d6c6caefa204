"""A job in a folder of its own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adapters.tool import Job

JobMaker = Callable[..., Job]


@pytest.fixture
def job(tmp_path: Path) -> JobMaker:
    (tmp_path / "tree" / "scripts").mkdir(parents=True)
    (tmp_path / "state").mkdir()
    base = Job(directory=tmp_path / "tree", state=tmp_path / "state", run="", timeout=60)
    return lambda run="", **changes: replace(base, run=run, **changes)
