"""Random plans and random acts against an independent model; after every step everything is compared.

A failure prints its steps as code (`state.claims(number=0, executor=1)`, …). To replay one: run the same test again (the
nightly one keeps failing examples in `.hypothesis/` and tries them first), or give the seed that pytest printed:
`pytest tests/model --hypothesis-seed=N`. The small test is derandomised, so it is the same run everywhere.

`ENGINE_EXAMPLES` sets the number of nightly examples; `make nightly` asks for 2,000 on SQLite and 500 on PostgreSQL. Most
examples use a workspace in memory (git costs half a second an example); one run in each profile uses real git.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from orchestrator.services import damage
from tests.model.machine import EngineMachine, World
from tests.model.memory_workspace import MemoryWorkspace

QUICK = settings(
    max_examples=int(os.environ.get("QUICK","30")),
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # Shrinking takes minutes; the small run says the failure at once, the nightly one shrinks it.
    phases=[Phase.generate],
)
NIGHTLY = settings(QUICK, max_examples=int(os.environ.get("ENGINE_EXAMPLES", "2000")), derandomize=False, phases=list(Phase))
#: Shrinking would cost minutes at half a second an example; the steps are printed all the same.
WITH_GIT = settings(QUICK, max_examples=3, stateful_step_count=12, phases=[Phase.generate])


@pytest.fixture
def world(cast) -> World:
    return World(cast)


@pytest.fixture
def in_memory(monkeypatch) -> None:
    monkeypatch.setattr(damage, "Workspace", MemoryWorkspace)


@pytest.mark.usefixtures("in_memory")
def test_random_plans_and_acts_do_what_the_model_does(world):
    run_state_machine_as_test(lambda: EngineMachine(world), settings=QUICK)


@pytest.mark.nightly
@pytest.mark.usefixtures("in_memory")
def test_many_random_plans_and_acts_do_what_the_model_does(world):
    run_state_machine_as_test(lambda: EngineMachine(world), settings=NIGHTLY)
