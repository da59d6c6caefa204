"""One workstream as its flow is measured: when it was registered, started and finished, and what the time in
between was spent on (FR-013)."""

from datetime import datetime, timedelta
from typing import NamedTuple

from orchestrator.core.flow.intervals import ZERO
from orchestrator.core.terms import FlowState


class FlowItem(NamedTuple):
    """An item as of one moment; times are aware and in UTC.

    `finished` is its last finish, None while it is not finished, or is again in progress; `first_finished`
    and `accepted` are first entries. `active`, `blocked` and `rework` lie within its cycle time, and may
    overlap. `back_moves` counts how often completed work was sent back.
    """

    key: int
    state: str
    registered: datetime
    started: datetime | None
    finished: datetime | None
    first_finished: datetime | None = None
    accepted: datetime | None = None
    active: timedelta = ZERO
    blocked: timedelta = ZERO
    rework: timedelta = ZERO
    back_moves: int = 0

    @property
    def lead(self) -> timedelta | None:
        """From registration to the finish, with the wait for review; None while it is not finished."""
        return None if self.finished is None else self.finished - self.registered

    @property
    def cycle(self) -> timedelta | None:
        """From the first start to the last finish: rework never restarts the clock. None before, and for what
        finished without a start because every step was skipped."""
        if self.finished is None or self.started is None:
            return None
        return self.finished - self.started

    @property
    def in_progress(self) -> bool:
        return self.state == FlowState.STARTED

    def age(self, as_of: datetime) -> timedelta | None:
        """From the first start until now, blocked time included; None for what is not in progress."""
        return as_of - self.started if self.in_progress and self.started else None
