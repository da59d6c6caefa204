"""Fixtures of the acceptance tests."""

import pytest
from pytest_django.fixtures import Settings

from tests.acceptance.workspace_files import Files


@pytest.fixture
def files(settings: Settings) -> Files:
    return Files(settings.WORKSPACE_DIR)
