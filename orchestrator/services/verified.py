"""Waiting for the result of a verification, for a bounded time and by a bounded number of callers (BX-9)."""

import threading
import time
from typing import Final

from orchestrator.contract.attempts import AttemptFacts
from orchestrator.core.engine.verification import NEVER_RUNS, VerificationFailed
from orchestrator.core.terms import VerificationState
from orchestrator.queries.work.attempt_facts import attempt_facts
from orchestrator.queries.work.proof import is_pending

#: Seconds between two looks, and how many may look in one process; whoever comes then does not wait.
LOOK: Final = 0.25
_SEATS: Final = threading.BoundedSemaphore(4)


def verified_attempt(attempt_id: int, seconds: int) -> AttemptFacts:
    """The attempt when its verification has ended, or so many seconds later. VerificationFailed, with the end
    of the log, when the last completion was refused and the attempt goes on."""
    if seconds and _SEATS.acquire(blocking=False):
        try:
            until = time.monotonic() + seconds
            while is_pending(attempt_id) and time.monotonic() < until:
                time.sleep(LOOK)
        finally:
            _SEATS.release()
    facts = attempt_facts(attempt_id)
    told = facts.verification
    if told is not None and told.state is VerificationState.REFUSED and facts.ended_at is None:
        red = VerificationFailed(f"{told.sentence}\n\n{told.log_end}".strip(), attempt=attempt_id)
        if told.exit_code is None:
            red.way_out = NEVER_RUNS
        raise red
    return facts
