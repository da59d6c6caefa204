"""What a walk over the history finds first, for tests that ask about nothing else."""

from orchestrator.core.sealing.chain import Breach
from orchestrator.queries.base.sealed import entries_sealed
from orchestrator.services.sealing.keys import key_ring
from orchestrator.services.sealing.verifying import verify


def first_breach() -> Breach | None:
    return verify(key_ring().public if entries_sealed() else ()).breach
