"""The workstreams of one choice of filters with their flow: what cards, charts, lists and exports share
(FR-013, FR-017, FR-026).

A fixed number of statements, whatever the number of workstreams; nothing scans the history.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from orchestrator.core.flow.ageing import BETWEEN, StepPlace, kind_of
from orchestrator.core.flow.cumulative import SHOWN_STATES
from orchestrator.core.flow.figures import FlowFigures, figures
from orchestrator.core.flow.intervals import ZERO
from orchestrator.core.flow.items import FlowItem
from orchestrator.core.terms import FlowState
from orchestrator.models import StateInterval, Workstream
from orchestrator.queries.base.sql import aware, plain_rows, span
from orchestrator.queries.flow.filters import FlowFilters, FlowSet, bucket_named
from orchestrator.queries.flow.places import standing_at
from orchestrator.queries.flow.step_times import StepSpans, in_work, worked_on

#: When a workstream first entered the state that a line of the cumulative flow shows.
ENTERED = dict(
    zip(SHOWN_STATES, ("created_at", "started_at", "first_finished_at", "first_accepted_at"), strict=True)
)
_COLUMNS = (
    *(
        "pk",
        "flow_state",
        "created_at",
        "started_at",
        "finished_at",
        "first_finished_at",
        "first_accepted_at",
    ),
    *("active_time", "active_since", "blocked_time", "blocked_since", "rework_time", "rework_since"),
    *("back_moves", "uuid", "slug", "title", "domain", "owner__username", "version__workflow__slug"),
    *("version__started_from", "version__workflow__name"),
)


class FlowRow(NamedTuple):
    """An item with what names it. `plan` is the workflow of the library it was started from,
    or what its plan is called. `blocked_now` says that a blocker of it is open; `at_step` is how long the
    step that was chosen took in it, or is in work."""

    item: FlowItem
    stored_uuid: UUID | str
    slug: str
    title: str
    domain: str
    owner: str
    workflow: str
    plan: str
    blocked_now: bool
    at_step: timedelta | None = None

    @property
    def uuid(self) -> UUID:
        """Made of what the database keeps when somebody asks: a figure counts thousands of rows."""
        return self.stored_uuid if isinstance(self.stored_uuid, UUID) else UUID(self.stored_uuid)


class Population:
    """The workstreams that the filters choose, as of the end of their time."""

    def __init__(self, filters: FlowFilters, now: datetime, zone: tzinfo) -> None:
        self.filters, self.now, self.zone = filters, now.astimezone(UTC), zone
        self.since, self.until = filters.window(now, zone)

    @property
    def is_past(self) -> bool:
        """The time that was chosen is over: what is in progress is asked of the intervals."""
        return self.until < self.now

    @cached_property
    def rows(self) -> list[FlowRow]:
        """Everything that stands in a figure or a chart of the time, the longest registered first."""
        chosen = Q(flow_state__in=(FlowState.PLANNED, FlowState.STARTED)) | Q(finished_at__gte=self.since)
        for column in ENTERED.values():
            chosen |= Q(**{f"{column}__gte": self.since})
        if self.is_past:
            chosen |= Q(pk__in=self._started_then)
        found = self._workstreams.filter(chosen).order_by("created_at", "pk")
        return [_row(columns, self.now) for columns in plain_rows(found.values_list(*_COLUMNS))]

    @property
    def _workstreams(self) -> QuerySet[Workstream]:
        return Workstream.objects.filter(self.filters.conditions)

    @cached_property
    def _started_then(self) -> set[int]:
        """What was in progress when the chosen time ended, and is not any more since that time."""
        began = StateInterval.objects.filter(void=False, state=FlowState.STARTED, began_at__lte=self.until)
        return set(began.filter(ended_at__gt=self.until).values_list("workstream_id", flat=True))

    @property
    def first_registered(self) -> datetime:
        """When the first of the items was registered; the end of the time if there is none."""
        return self.rows[0].item.registered if self.rows else self.until

    @cached_property
    def finished(self) -> list[FlowRow]:
        """Finished in the time, each once, at its last finish."""
        return [row for row in self.rows if self._within(row.item.finished)]

    @cached_property
    def in_progress(self) -> list[FlowRow]:
        """Started and not finished at the end of the time."""
        if not self.is_past:
            return [row for row in self.rows if row.item.in_progress]
        began = Q(flow_state=FlowState.STARTED, flow_since__lte=self.until)
        still = set(self._workstreams.filter(began).values_list("pk", flat=True)) | self._started_then
        return [_as_started(row) for row in self.rows if row.item.key in still]

    @property
    def by_key(self) -> bool:
        """Whether items stand at steps by their keys: within plans with one name. Elsewhere by the kinds of
        steps."""
        return bool(self.filters.workflow or self.filters.of)

    def column_of(self, step: StepPlace | None) -> str:
        if step is None:
            return BETWEEN
        return step.key if self.by_key else kind_of(step)

    @cached_property
    def places(self) -> dict[int, str]:
        """Where each item in progress stands now."""
        steps = standing_at([row.item.key for row in self.in_progress])
        return {row.item.key: self.column_of(steps.get(row.item.key)) for row in self.in_progress}

    @cached_property
    def figures(self) -> FlowFigures:
        return figures(
            [row.item for row in self.finished], [row.item for row in self.in_progress], self.until
        )

    @cached_property
    def entered_before(self) -> dict[FlowState, int]:
        """How many had entered each state of the cumulative flow before the time began."""
        before = {state: Q(**{f"{column}__lt": self.since}) for state, column in ENTERED.items()}
        before[FlowState.STARTED] |= Q(started_at=None, first_finished_at__lt=self.since)
        counted = self._workstreams.aggregate(
            **{state.value: Count("pk", filter=condition) for state, condition in before.items()}
        )
        return {state: counted[state] for state in before}

    @property
    def chosen(self) -> list[FlowRow]:
        """The rows behind one figure or mark: what the page lists and the exports write."""
        return self.those(self.filters.show)

    def those(self, show: FlowSet) -> list[FlowRow]:
        """The rows of one set, narrowed to a day, week or month and to a span of cycle time if chosen."""
        rows = self._sets[show]()
        if self.filters.bucket:
            bucket, moment = bucket_named(self.filters.bucket, self.zone), _MOMENT.get(show, _finished)
            rows = [row for row in rows if (at := moment(row.item)) and bucket.begins <= at < bucket.ends]
        if self.filters.cycle:
            least, most = (timedelta(seconds=seconds) for seconds in self.filters.cycle)
            rows = [row for row in rows if (cycle := row.item.cycle) is not None and least <= cycle < most]
        if self.filters.at:
            rows = [row for row in rows if self.places.get(row.item.key) == self.filters.at]
        if self.filters.step:
            spans = self._spans_at_step(show, rows)
            rows = [row._replace(at_step=spans[row.item.key]) for row in rows if row.item.key in spans]
        return rows

    def _spans_at_step(self, show: FlowSet, rows: Sequence[FlowRow]) -> dict[int, timedelta]:
        """How long the chosen step took in each of the rows in which somebody worked on it, or, of those in
        which it is in work, how old it is there."""
        key = self.filters.step
        spans = (
            self.steps_in_work if show is FlowSet.IN_WORK else worked_on([row.item.key for row in rows], key)
        )
        return {item: length for (item, step), length in spans.items() if step == key}

    @cached_property
    def steps_in_work(self) -> StepSpans:
        """Which steps are in work now in the items in progress; of a time that is over nobody knows."""
        items = [] if self.is_past else [row.item.key for row in self.in_progress]
        return in_work(items, self.until) if items else {}

    @property
    def _with_steps_in_work(self) -> list[FlowRow]:
        items = {item for item, _key in self.steps_in_work}
        return [row for row in self.in_progress if row.item.key in items]

    @property
    def _sets(self) -> dict[FlowSet, Callable[[], list[FlowRow]]]:
        return {
            FlowSet.FINISHED: lambda: self.finished,
            FlowSet.TIMED: lambda: [row for row in self.finished if row.item.cycle is not None],
            FlowSet.REWORKED: lambda: [row for row in self.finished if row.item.back_moves],
            FlowSet.BLOCKED: lambda: [row for row in self.finished if row.item.blocked > ZERO],
            FlowSet.IN_PROGRESS: lambda: self.in_progress,
            FlowSet.IN_WORK: lambda: self._with_steps_in_work,
            FlowSet.BLOCKED_NOW: lambda: [row for row in self.in_progress if row.blocked_now],
            FlowSet.REGISTERED: lambda: self._entered(FlowSet.REGISTERED),
            FlowSet.STARTED: lambda: self._entered(FlowSet.STARTED),
            FlowSet.FIRST_FINISHED: lambda: self._entered(FlowSet.FIRST_FINISHED),
            FlowSet.ACCEPTED: lambda: self._entered(FlowSet.ACCEPTED),
        }

    def _entered(self, show: FlowSet) -> list[FlowRow]:
        return [row for row in self.rows if self._within(_MOMENT[show](row.item))]

    def _within(self, moment: datetime | None) -> bool:
        return moment is not None and self.since <= moment < self.until


def _finished(item: FlowItem) -> datetime | None:
    return item.finished


_MOMENT: dict[FlowSet, Callable[[FlowItem], datetime | None]] = {
    FlowSet.REGISTERED: lambda item: item.registered,
    FlowSet.STARTED: lambda item: item.started or item.first_finished,
    FlowSet.FIRST_FINISHED: lambda item: item.first_finished,
    FlowSet.ACCEPTED: lambda item: item.accepted,
    FlowSet.IN_PROGRESS: lambda item: item.started,
    FlowSet.IN_WORK: lambda item: item.started,
    FlowSet.BLOCKED_NOW: lambda item: item.started,
}


def _row(columns: Sequence[Any], now: datetime) -> FlowRow:
    key, state, registered, started, finished, first_finished, accepted = columns[:7]
    active, active_since, blocked, blocked_since, rework, rework_since = columns[7:13]
    begun, done = started and aware(started), finished and aware(finished)
    first_done, taken = first_finished and aware(first_finished), accepted and aware(accepted)
    item = FlowItem(
        key,
        state,
        aware(registered),
        begun,
        done,
        first_done,
        taken,
        _so_far(active, active_since, now),
        _so_far(blocked, blocked_since, now),
        _so_far(rework, rework_since, now),
        columns[13],
    )
    uuid, slug, title, domain, owner, workflow, started_from, name = columns[14:]
    plan = started_from or name
    return FlowRow(item, uuid, slug, title, domain, owner, workflow, plan, blocked_since is not None)


def _so_far(length: int | timedelta, since: datetime | None, now: datetime) -> timedelta:
    """What is over, and what goes on since then."""
    over = span(length) if length else ZERO
    return over if since is None else over + (now - aware(since))


def _as_started(row: FlowRow) -> FlowRow:
    """As it was seen from a time that is over, when it was in progress."""
    return row._replace(item=row.item._replace(state=FlowState.STARTED.value, finished=None))


class FlowSums(NamedTuple):
    """What the rows of a list come to."""

    cycle: timedelta
    active: timedelta
    blocked: timedelta
    rework: timedelta
    back_moves: int
    at_step: timedelta


def sums(rows: Sequence[FlowRow]) -> FlowSums:
    items = [row.item for row in rows]
    return FlowSums(
        cycle=sum((cycle for item in items if (cycle := item.cycle) is not None), ZERO),
        active=sum((item.active for item in items), ZERO),
        blocked=sum((item.blocked for item in items), ZERO),
        rework=sum((item.rework for item in items), ZERO),
        back_moves=sum(item.back_moves for item in items),
        at_step=sum((row.at_step for row in rows if row.at_step is not None), ZERO),
    )
