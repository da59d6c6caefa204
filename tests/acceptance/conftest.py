"""Fixtures of the acceptance tests."""

import pytest
from pytest_django.fixtures import Settings

from tests.acceptance.public import PublicDriver
from tests.acceptance.workspace_files import Files
from tests.cast import Cast, Driver


@pytest.fixture
def files(settings: Settings) -> Files:
    return Files(settings.WORKSPACE_DIR)


@pytest.fixture
def driver(cast: Cast) -> Driver:
    """Acceptance goes through pages, REST and the queue's task."""
    return PublicDriver(cast)
