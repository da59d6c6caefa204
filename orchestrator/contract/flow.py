"""Flow: figures with their n, the items behind them, and a forecast (FR-012, FR-013, FR-017, FR-026)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from orchestrator.contract.values import Body, Name, Page, Slug, Title
from orchestrator.core.flow.buckets import Span
from orchestrator.core.flow.forecast import FURTHEST_DAYS, SEED
from orchestrator.core.terms import FlowState

Word = Annotated[str, Field(max_length=20)]


class FlowFilter(Body):
    """Which workstreams and which time, as in the addresses of the flow pages.

    `time` is 7d, 30d, 6w, 90d, 12m or all; `since` and `until` are days of the project's calendar and go
    before it. `domain` is `-` for workstreams without one, `of` the name of a plan or of a
    workflow of the library. A value that means nothing is refused.
    """

    time: Word = ""
    since: Word = ""
    until: Word = ""
    domain: Slug = ""
    owner: Name = ""
    workflow: Title = ""
    of: Title = ""
    status: Word = ""


class FlowChoice(FlowFilter):
    """The same, and the buckets that throughput is counted in: `span` is day, week or month."""

    span: Word = ""


class FlowItemQuery(FlowChoice, Page):
    """The same, and which of the items: those of a figure (`show`: finished, timed, reworked, blocked,
    in-progress, in-work, blocked-now, registered, started, first-finished or accepted), of a day, week or
    month (`on`), of a span of cycle time in seconds (`cycle`, like 3600-7200), in which a step was worked on
    (`step`), or that stand at one (`at`)."""

    show: Word = ""
    on: Word = ""
    cycle: Annotated[str, Field(max_length=21)] = ""
    step: Annotated[str, Field(max_length=80)] = ""
    at: Annotated[str, Field(max_length=80)] = ""


class FlowStepQuery(FlowChoice, Page):
    """The same, and which of the steps."""


class ForecastQuery(FlowChoice):
    """When `items` are done and how many are within `days` days; without `items`, what is in progress."""

    items: Annotated[int, Field(ge=0, le=100_000)] = 0
    days: Annotated[int, Field(ge=1, le=FURTHEST_DAYS)] = 30
    seed: Annotated[int, Field(ge=0, le=2**31)] = SEED


@dataclass(frozen=True)
class DurationFacts:
    """Durations in seconds: how many, the percentiles by nearest rank (null for fewer than ten), the
    longest."""

    n: int
    p50: float | None
    p85: float | None
    p95: float | None
    longest: float | None


@dataclass(frozen=True)
class BucketFacts:
    """How many items were finished in a day, week or month; `partial` when not all of it is in the time."""

    bucket: str
    finished: int
    partial: bool


@dataclass(frozen=True)
class FlowReport:
    """The figures of a choice, as of the end of its time. Times in seconds, shares from 0 to 1, null where
    there is nothing to divide by."""

    time_zone: str
    since: datetime
    as_of: datetime
    finished: int
    lead: DurationFacts
    cycle: DurationFacts
    in_progress: int
    age: DurationFacts
    reworked: int
    rework_rate: float | None
    back_moves: int
    rework_seconds: float
    was_blocked: int
    blocked_seconds: float
    blocked_share: float | None
    active_seconds: float
    efficiency: float | None
    span: Span
    throughput: list[BucketFacts]


@dataclass(frozen=True)
class FlowItemFacts:
    """One workstream with its flow; spans in seconds, null where there is none. `step_seconds` is how long
    the step that was asked for took, or is in work."""

    workstream: str
    uuid: UUID
    title: str
    state: FlowState
    domain: str
    owner: str
    workflow: str
    registered: datetime
    started: datetime | None
    finished: datetime | None
    lead_seconds: float | None
    cycle_seconds: float | None
    age_seconds: float | None
    active_seconds: float
    blocked_seconds: float
    rework_seconds: float
    back_moves: int
    step_seconds: float | None


@dataclass(frozen=True)
class FlowItemList:
    """A page of the items; `total` counts all of them."""

    time_zone: str
    total: int
    items: list[FlowItemFacts]


@dataclass(frozen=True)
class FlowStepFacts:
    """A step of the plans with one name: how old it is where it is `in_work`, how long all its attempts took
    together in each finished item (`done`), and what that comes to."""

    plan: str
    step: str
    in_work: DurationFacts
    done: DurationFacts
    total_seconds: float


@dataclass(frozen=True)
class FlowStepList:
    """A page of the steps; `total` counts all of them."""

    time_zone: str
    total: int
    steps: list[FlowStepFacts]


@dataclass(frozen=True)
class ForecastFacts:
    """10,000 runs over the daily throughput of `history` days, with a seed that makes them the same again.

    `done_by` are the days by which so many per cent of the runs had finished the items, `at_least` what so
    many per cent of them finish within the days.
    """

    time_zone: str
    runs: int
    seed: int
    history: int
    items: int
    days: int
    done_by: dict[str, date]
    at_least: dict[str, int]
