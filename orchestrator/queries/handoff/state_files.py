"""Which state files may wait for a later writing, and which are due for one (WF-7, BX-6)."""

from datetime import datetime, timedelta
from typing import Final

from orchestrator.core.terms import LIVE_ATTEMPT, TaskStatus
from orchestrator.models import StateFiles
from orchestrator.queries.base.sql import Found, Joined, Table

#: Least time between two writings of a workstream's state files while work is going on, for each thousand
#: tasks begun: what a writing costs grows with the plan, and it has to remain a small part of the work.
PACE: Final = timedelta(seconds=1)
AT_THAT_PACE: Final = 1000


def may_wait(workstream_id: int, now: datetime) -> bool:
    """Whether the state files may be left to a later advance: they were written just now, and an executor is
    at work or may claim. A gate waits for a person, who is not that fast."""
    found = _OF_WORKSTREAM.first(workstream_id)
    return found is not None and bool(found["moves"]) and not _is_over(found, now)


def overdue(now: datetime) -> list[int]:
    """Ids of workstreams whose state files are behind and may be written."""
    return [found["files"].pk for found in _BEHIND.rows() if _is_over(found, now)]


def _is_over(found: Found, now: datetime) -> bool:
    """Whether the time after the last writing is over; a clock that was set back makes nothing wait."""
    written_at: datetime = found["files"].written_at
    pace = PACE * max(1, -(-found["tasks"] // AT_THAT_PACE))
    return not written_at <= now < written_at + pace


_FILES: Final = {"files": Table(StateFiles)}
_JOINED: Final = """orchestrator_statefiles files
JOIN orchestrator_workstream workstream ON workstream.id = files.workstream_id"""
_TASKS: Final = "workstream.open_tasks + workstream.done_tasks"
_LIVE = ", ".join(f"'{status.value}'" for status in sorted(LIVE_ATTEMPT))
_MOVES = f"""EXISTS (SELECT 1 FROM orchestrator_task task
  JOIN orchestrator_attempt attempt ON attempt.task_id = task.id AND attempt.status IN ({_LIVE})
  WHERE task.workstream_id = files.workstream_id AND task.open_batch IS NOT NULL
  AND task.status <> '{TaskStatus.REVIEW.value}')"""
_OF_WORKSTREAM = Joined(
    _FILES, f"{_JOINED} WHERE files.workstream_id = %s", {"tasks": _TASKS, "moves": _MOVES}
)
_BEHIND = Joined(_FILES, f"{_JOINED} WHERE files.behind ORDER BY files.workstream_id", {"tasks": _TASKS})
