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

    What finished without a start, because every step was skipped, started with its finish: no line lies
    above the one around it.
    """
    entries: dict[FlowState, list[datetime]] = {state: [] for state in SHOWN_STATES}
    for item in items:
        moments = (item.registered, item.started or item.first_finished, item.first_finished, item.accepted)
        for state, entered in zip(SHOWN_STATES, moments, strict=True):
            if entered is not None:
                entries[state].append(entered)
    for moments_of_state in entries.values():
        moments_of_state.sort()
    return entries


def cumulative(entries: Sequence[datetime], ends: Sequence[datetime]) -> list[int]:
    """How many of the ordered entries lie before each end."""
    return [bisect_left(entries, end) for end in ends]
