"""Cumulative flow: how many items had entered each state by a moment; it never decreases (FR-013)."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator.core.flow.items import FlowItem
from orchestrator.core.terms import FlowState

#: From the outermost line to the innermost.
SHOWN_STATES = (FlowState.PLANNED, FlowState.STARTED, FlowState.FINISHED, FlowState.ACCEPTED)


def first_entries(items: Iterable[FlowItem]) -> dict[FlowState, list[datetime]]:
    """When items entered each state for the first time, in order of time.

    What finished without a start started with its finish: a line never lies above the one around it.
    """
    entries: dict[FlowState, list[datetime]] = {state: [] for state in SHOWN_STATES}
    for item in items:
        passed = item.accepted
        finished = _earlier(item.first_finished, passed)
        started = _earlier(item.started, finished)
        for state, entered in zip(
            SHOWN_STATES, (item.registered, started, finished, passed), strict=True
        ):
            if entered is not None:
                entries[state].append(entered)
    for moments in entries.values():
        moments.sort()
    return entries


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    if first is None or second is None:
        return first or second
    return min(first, second)


def cumulative(entries: Sequence[datetime], ends: Sequence[datetime]) -> list[int]:
    """How many of the ordered entries lie before each end."""
    return [bisect_left(entries, end) for end in ends]
