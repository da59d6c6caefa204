"""What is kept of a workstream's flow while its acts happen: its state, and how long work ran, was blocked
and was done again (FR-013).

An act changes counts; at its end `keep` brings the sums up to date and answers with the intervals that are
over. The same function rebuilds both from the history (`folding.py`), so that they can be compared.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.core.flow.intervals import ZERO, Interval
from orchestrator.core.terms import FlowState, WorkstreamStatus


class KeptFlow(Protocol):
    """The columns of a workstream that are about its flow.

    `running` counts attempts that an executor works on, `open_blockers` declared impediments, `reworking`
    tasks whose completed result went back and that are not complete again. `active_time`, `blocked_time` and
    `rework_time` are the time in which at least one of these was so, as far as it is over; what lasts began
    at `active_since` and so on. They count only while the state is `started`.
    """

    flow_state: str
    flow_since: datetime
    first_finished_at: datetime | None
    first_accepted_at: datetime | None
    running: int
    open_blockers: int
    reworking: int
    active_since: datetime | None
    blocked_since: datetime | None
    rework_since: datetime | None
    active_time: timedelta
    blocked_time: timedelta
    rework_time: timedelta
    back_moves: int


@dataclass(slots=True)
class Tally:
    """The same outside the tables."""

    flow_since: datetime
    flow_state: str = FlowState.PLANNED.value
    started_at: datetime | None = None
    first_finished_at: datetime | None = None
    first_accepted_at: datetime | None = None
    running: int = 0
    open_blockers: int = 0
    reworking: int = 0
    active_since: datetime | None = None
    blocked_since: datetime | None = None
    rework_since: datetime | None = None
    active_time: timedelta = ZERO
    blocked_time: timedelta = ZERO
    rework_time: timedelta = ZERO
    back_moves: int = 0


#: The columns of a workstream that `keep` and the acts write.
KEPT = tuple(field.name for field in fields(Tally) if field.name != "started_at")


def state_of(status: str, started: bool, finished: bool) -> FlowState:
    """Where a workstream stands in its flow. `finished` is derived from its tasks (LC-1)."""
    if status == WorkstreamStatus.ARCHIVED:
        return FlowState.ARCHIVED
    if status == WorkstreamStatus.COMPLETED:
        return FlowState.ACCEPTED
    if finished:
        return FlowState.FINISHED
    return FlowState.STARTED if started else FlowState.PLANNED


def keep(tally: KeptFlow, state: FlowState, at: datetime) -> list[Interval]:
    """Bring a tally up to date at the end of an act, after its counts changed; the intervals that are over.

    The clock may go back: an interval never ends before it began.
    """
    over: list[Interval] = []
    if state != tally.flow_state:
        over += _passed(tally.flow_state, tally.flow_since, at)
        tally.flow_state, tally.flow_since = state.value, max(at, tally.flow_since)
        _first_entry(tally, state, at)
    under_way = state is FlowState.STARTED
    _keep_active(tally, under_way and tally.running > 0, at)
    over += _keep_blocked(tally, under_way and tally.open_blockers > 0, at)
    over += _keep_rework(tally, under_way and tally.reworking > 0, at)
    return over


def _first_entry(tally: KeptFlow, state: FlowState, at: datetime) -> None:
    if state is FlowState.FINISHED:
        tally.first_finished_at = tally.first_finished_at or at
    if state is FlowState.ACCEPTED:
        tally.first_accepted_at = tally.first_accepted_at or at


def _keep_active(tally: KeptFlow, holds: bool, at: datetime) -> None:
    """Without intervals of its own: the attempts are these."""
    if tally.active_since is None:
        tally.active_since = at if holds else None
    elif not holds:
        tally.active_time += max(at - tally.active_since, ZERO)
        tally.active_since = None


def _keep_blocked(tally: KeptFlow, holds: bool, at: datetime) -> list[Interval]:
    since = tally.blocked_since
    if since is None or holds:
        tally.blocked_since = since or (at if holds else None)
        return []
    tally.blocked_time += max(at - since, ZERO)
    tally.blocked_since = None
    return _passed(FlowState.BLOCKED, since, at)


def _keep_rework(tally: KeptFlow, holds: bool, at: datetime) -> list[Interval]:
    since = tally.rework_since
    if since is None or holds:
        tally.rework_since = since or (at if holds else None)
        return []
    tally.rework_time += max(at - since, ZERO)
    tally.rework_since = None
    return _passed(FlowState.REWORK, since, at)


def _passed(state: str, since: datetime, at: datetime) -> list[Interval]:
    return [Interval(str(state), since, at)] if at > since else []
