"""Where a workstream stands and whether it needs attention: derived, never stored (LC-1, LC-2, LC-4)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from orchestrator.core.terms import Lifecycle, Signal, TimeWindow, WorkstreamStatus

#: Stalled and oldies are strictly more than this long.
QUIET: Final = timedelta(days=7)

_ROLLING: Final = {
    TimeWindow.LAST_HOUR: timedelta(hours=1),
    TimeWindow.LAST_DAY: timedelta(hours=24),
    TimeWindow.LAST_WEEK: timedelta(days=7),
    TimeWindow.LAST_MONTH: timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class WorkstreamCounts:
    """The facts about one workstream.

    Open counts every task that is not closed, blocked ones too; times are aware.
    """

    status: WorkstreamStatus
    open_tasks: int
    done_tasks: int
    blocked_tasks: int
    created_at: datetime
    updated_at: datetime


def lifecycle(counts: WorkstreamCounts) -> Lifecycle:
    """Active work without an open task is finished; a workstream that has no tasks yet is not (LC-1)."""
    if counts.status == WorkstreamStatus.COMPLETED:
        return Lifecycle.ACCEPTED
    if counts.status == WorkstreamStatus.ARCHIVED:
        return Lifecycle.ARCHIVED
    if counts.status == WorkstreamStatus.PLANNING:
        return Lifecycle.PLANNING
    return Lifecycle.FINISHED if is_finished(counts.open_tasks, counts.done_tasks) else Lifecycle.ACTIVE


def is_finished(open_tasks: int, done_tasks: int) -> bool:
    return open_tasks == 0 and done_tasks > 0


def signals(counts: WorkstreamCounts, now: datetime) -> frozenset[Signal]:
    """Attention signals, whatever the lifecycle state (LC-2)."""
    found = set()
    if counts.blocked_tasks > 0:
        found.add(Signal.BLOCKED)
    if counts.open_tasks > 0 and counts.done_tasks > 0 and _is_quiet(counts.updated_at, now):
        found.add(Signal.STALLED)
    if counts.open_tasks > 0 and counts.done_tasks == 0 and _is_quiet(counts.created_at, now):
        found.add(Signal.OLDIES)
    return frozenset(found)


def _is_quiet(since: datetime, now: datetime) -> bool:
    return now.astimezone(UTC) - since.astimezone(UTC) > QUIET


def window_start(window: TimeWindow, now: datetime, zone: tzinfo) -> datetime:
    """First moment of the window, in UTC. Calendar windows begin at local midnight; weeks begin on Monday
    (LC-4).

    Rolling windows are exact lengths of elapsed time, also across a clock change.
    """
    if window in _ROLLING:
        return now.astimezone(UTC) - _ROLLING[window]
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    first = {
        TimeWindow.TODAY: today,
        TimeWindow.THIS_WEEK: today - timedelta(days=today.weekday()),
        TimeWindow.THIS_MONTH: today.replace(day=1),
    }[window]
    return first.astimezone(UTC)


def in_window(counts: WorkstreamCounts, window: TimeWindow, now: datetime, zone: tzinfo) -> bool:
    """Created or updated since the window began."""
    start = window_start(window, now, zone)
    return counts.updated_at >= start or counts.created_at >= start
