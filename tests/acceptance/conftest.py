"""Fixtures of the acceptance tests."""

import pytest
from pytest_django.fixtures import Settings

from orchestrator.core.terms import ExecutorKind
from orchestrator.services.people.executors import register_executor
from tests.acceptance.public import PublicDriver
from tests.acceptance.workspace_files import Files
from tests.cast import NOON, Cast, Driver
from tests.machines import Machine


@pytest.fixture
def files(settings: Settings) -> Files:
    return Files(settings.WORKSPACE_DIR)


@pytest.fixture
def driver(cast: Cast) -> Driver:
    """Acceptance goes through pages, REST and the queue's task."""
    return PublicDriver(cast)


@pytest.fixture
def planner(cast: Cast) -> Machine:
    """A person's planning agent: it may submit plans and read everything."""
    return Machine.of(
        register_executor(name="planner", kind=ExecutorKind.AGENT, user=cast.initiator, now=NOON)
    )
