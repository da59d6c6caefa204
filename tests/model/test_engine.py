"""Random plans and random acts against an independent model; after every step everything is compared.

A failure prints its steps as code (`state.claims(number=0, executor=1)`, …). To replay one: run the same test
again (the nightly one keeps failing examples in `.hypothesis/`, tries them first and shrinks them), or give a
seed: `pytest tests/model -m nightly --hypothesis-seed=N`. The small test is derandomised: the same run
everywhere.

`ENGINE_EXAMPLES` is the number of nightly examples, in two halves for two processes; `make nightly` asks for
2,000 on SQLite and 500 on PostgreSQL. Examples use a workspace in memory, because git costs half a second an
example; one in a hundred has real git.
"""

import os

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from orchestrator.services import advance
from orchestrator.services.handoff import damage, publishing
from tests.cast import Cast
from tests.model.machine import EngineMachine, World
from tests.model.workspaces import GitWorkspace, MemoryWorkspace

EXAMPLES = int(os.environ.get("ENGINE_EXAMPLES", "2000"))
QUICK = settings(
    max_examples=16,
    stateful_step_count=16,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking takes minutes; the small run says at once which steps failed.
    phases=[Phase.generate],
)
NIGHTLY = settings(
    max_examples=max(EXAMPLES // 2, 1),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
WITH_GIT = settings(NIGHTLY, max_examples=max(EXAMPLES // 100, 2))


def run(
    cast: Cast, monkeypatch, workspace: type[MemoryWorkspace] | type[GitWorkspace], profile: settings
) -> None:
    monkeypatch.setattr(damage, "Workspace", workspace)
    # Nobody commits files of their own here, and looking for some asks git.
    monkeypatch.setattr(advance, "collect", lambda now: 0)
    world = World(cast, workspace)
    if workspace is MemoryWorkspace:
        # A quarter of the time; what these files say has tests of its own, and real git writes them below.
        monkeypatch.setattr(publishing, "projected_files", lambda workstream: {})
    with connection.execute_wrapper(world.writes):
        run_state_machine_as_test(lambda: EngineMachine(world), settings=profile)


def test_random_plans_and_acts_do_what_the_model_does(cast, monkeypatch):
    run(cast, monkeypatch, MemoryWorkspace, QUICK)


@pytest.mark.nightly
@pytest.mark.parametrize("half", [1, 2])
def test_many_random_plans_and_acts_do_what_the_model_does(cast, monkeypatch, half):
    run(cast, monkeypatch, MemoryWorkspace, NIGHTLY)


@pytest.mark.nightly
def test_random_plans_and_acts_do_what_the_model_does_with_real_git(cast, monkeypatch):
    """Kills are those of the real repository: before the blobs, before the files, before the mark."""
    run(cast, monkeypatch, GitWorkspace, WITH_GIT)
