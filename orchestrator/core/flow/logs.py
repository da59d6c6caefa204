"""Items of another tool's log: state changes with their time, by which our figures are checked (FR-013)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from orchestrator.core.flow.intervals import ZERO
from orchestrator.core.flow.items import FlowItem
from orchestrator.core.terms import FlowState


class StateEntry(NamedTuple):
    """An item entered a state."""

    at: datetime
    state: str


class LoggedItem(NamedTuple):
    """An item by its log: as it is measured, and how long it stood in each state."""

    item: FlowItem
    time_in_state: dict[str, timedelta]


def item_of_log(
    key: int, entries: Sequence[StateEntry], states: Sequence[str], as_of: datetime
) -> LoggedItem:
    """An item by its entries in order of time, the first of them its registration.

    `states` is their order: it starts when it leaves the first for the first time, and is finished while it
    stands in the last.
    """
    steps = [StateEntry(entry.at.astimezone(UTC), entry.state) for entry in entries]
    rank = {state: place for place, state in enumerate(states)}
    started = next((entry.at for entry in steps if rank[entry.state] > 0), None)
    finishes = [entry.at for entry in steps if entry.state == states[-1]]
    finished = finishes[-1] if steps[-1].state == states[-1] else None
    item = FlowItem(
        key=key,
        state=_state(started, finished),
        registered=steps[0].at,
        started=started,
        finished=finished,
        first_finished=finishes[0] if finishes else None,
        back_moves=sum(rank[after.state] < rank[before.state] for before, after in pairwise(steps)),
    )
    return LoggedItem(item, _time_in_state(steps, finished or as_of))


def _state(started: datetime | None, finished: datetime | None) -> str:
    if finished:
        return FlowState.FINISHED
    return FlowState.STARTED if started else FlowState.PLANNED


def _time_in_state(steps: Sequence[StateEntry], until: datetime) -> dict[str, timedelta]:
    spent: dict[str, timedelta] = {}
    for entry, leaves in zip(steps, [*(entry.at for entry in steps[1:]), until], strict=True):
        spent[entry.state] = spent.get(entry.state, ZERO) + max(leaves - entry.at, ZERO)
    return spent
