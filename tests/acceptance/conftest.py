"""Fixtures of the acceptance tests."""

import pytest
from pytest_django.fixtures import Settings

from orchestrator.core.changes.parametrise import NewParameter
from orchestrator.core.terms import ExecutorKind
from orchestrator.services.people.executors import register_executor
from orchestrator.services.people.interventions import flag_for_human
from orchestrator.services.plans.saved_workflows import save_workflow
from orchestrator.services.workstreams.policies import change_policy
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


@pytest.fixture
def world(driver: Driver) -> Driver:
    """Work under way with a gate that waits, a question, a policy and a saved workflow."""
    driver.start()
    driver.do("A1", "A2", "B1")
    admin = driver.cast.actor("approver")
    text = {"title": "Releases", "body": "On Mondays.", "reason": "Agreed.", "impact": "None."}
    change_policy(slug="release", actor=admin, now=driver.tick(), **text)
    flag_for_human(task_id=driver.task("C1").pk, note="Which one?", actor=admin, now=driver.tick())
    version, product = driver.reload().version, NewParameter("product", "Card refunds")
    saved = {"name": "Refunds", "description": "", "parameters": [product]}
    save_workflow(version=version, actor=admin, now=driver.tick(), **saved)
    return driver
