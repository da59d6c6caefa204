"""Fixtures every test may use."""

from pathlib import Path

import pytest
from django.db import connections

from orchestrator.models.guards import lifted
from tests.cast import Cast, Driver


@pytest.fixture(autouse=True)
def folders(settings, tmp_path: Path) -> Path:
    """Each test has a workspace of its own."""
    settings.WORKSPACE_DIR = tmp_path / "workspace"
    settings.REPOSITORIES_DIR = tmp_path / "repositories"
    settings.WORKTREES_DIR = tmp_path / "worktrees"
    return tmp_path


@pytest.fixture
def cast(db) -> Cast:
    return Cast()


@pytest.fixture
def driver(cast: Cast) -> Driver:
    return Driver(cast)


@pytest.fixture
def transactional_db(transactional_db):
    """The history's triggers refuse the flush at the end, so they are lifted for the whole test's end."""
    yield transactional_db
    with lifted(), connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM orchestrator_historyentry")
