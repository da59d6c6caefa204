"""Advance a workstream: commit what was announced, check what was handed over, schedule; again until nothing is left.

This is what the queue runs (DC-6). Running it twice, or after a crash anywhere, has no second effect.
"""

from datetime import datetime

from orchestrator.services.artifacts import publish
from orchestrator.services.damage import check_handovers
from orchestrator.services.scheduling import run_round

#: A round that launches announces new artifacts, which have to be committed in turn; two turns are usual.
TURNS = 20


def advance(*, workstream_id: int, now: datetime) -> None:
    """Bring workspace and schedule of a workstream up to date with its rows."""
    for _ in range(TURNS):
        publish(now=now, workstream_id=workstream_id)
        check_handovers(workstream_id=workstream_id, now=now)
        if run_round(workstream_id=workstream_id, now=now) is None:
            return
