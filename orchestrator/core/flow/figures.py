"""The figures of some workstreams: what the cards of the flow page say, each with its n (FR-013, FR-012)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.flow.intervals import ZERO
from orchestrator.core.flow.items import FlowItem
from orchestrator.core.flow.percentiles import percentiles


@dataclass(frozen=True, slots=True)
class Durations:
    """Some durations: how many, their percentiles (none for fewer than ten), and themselves in order."""

    n: int
    percentiles: dict[int, timedelta]
    values: tuple[timedelta, ...]

    @property
    def longest(self) -> timedelta | None:
        return self.values[-1] if self.values else None


@dataclass(frozen=True, slots=True)
class FlowFigures:
    """The figures of the items that finished in a window, and of those in progress at its end.

    Shares are None where there is nothing to divide by.
    """

    finished: int
    lead: Durations
    cycle: Durations
    in_progress: int
    age: Durations
    reworked: int
    back_moves: int
    rework: timedelta
    was_blocked: int
    blocked: timedelta
    active: timedelta
    cycle_total: timedelta

    @property
    def rework_rate(self) -> float | None:
        """Finished items with at least one backward move, of all finished ones."""
        return self.reworked / self.finished if self.finished else None

    @property
    def blocked_share(self) -> float | None:
        """The part of all cycle time in which something was blocked: the impact of blockers."""
        return self.blocked / self.cycle_total if self.cycle_total else None

    @property
    def efficiency(self) -> float | None:
        """The part of all cycle time in which some attempt was running."""
        return self.active / self.cycle_total if self.cycle_total else None


def durations(values: Sequence[timedelta]) -> Durations:
    ordered = tuple(sorted(values))
    return Durations(len(ordered), percentiles(ordered), ordered)


def figures(finished: Sequence[FlowItem], in_progress: Sequence[FlowItem], as_of: datetime) -> FlowFigures:
    """What is said of items that finished in some window, and of those in progress at `as_of`."""
    cycles = [cycle for item in finished if (cycle := item.cycle) is not None]
    ages = [age for item in in_progress if (age := item.age(as_of)) is not None]
    return FlowFigures(
        finished=len(finished),
        lead=durations([lead for item in finished if (lead := item.lead) is not None]),
        cycle=durations(cycles),
        in_progress=len(in_progress),
        age=durations(ages),
        reworked=sum(item.back_moves > 0 for item in finished),
        back_moves=sum(item.back_moves for item in finished),
        rework=sum((item.rework for item in finished), ZERO),
        was_blocked=sum(item.blocked > ZERO for item in finished),
        blocked=sum((item.blocked for item in finished), ZERO),
        active=sum((item.active for item in finished), ZERO),
        cycle_total=sum(cycles, ZERO),
    )
