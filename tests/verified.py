"""What is wrong with the history or the tables, for tests that ask about nothing else."""

from orchestrator.core.replay import Unreadable, replay
from orchestrator.core.sealing.chain import Breach
from orchestrator.core.state_differences import differences
from orchestrator.models import Workstream
from orchestrator.queries.base.sealed import entries_sealed
from orchestrator.queries.base.state import facts, stored_state
from orchestrator.services.sealing.keys import key_ring
from orchestrator.services.sealing.verifying import verify


def first_breach() -> Breach | None:
    return verify(key_ring().public if entries_sealed() else ()).breach


def state_problems(workstream: Workstream) -> list[str]:
    """Everything in which the tables differ from history; empty when they agree."""
    try:
        rebuilt = replay(facts(workstream))
    except Unreadable as problem:
        return [str(problem)]
    return differences(rebuilt, stored_state(workstream))
