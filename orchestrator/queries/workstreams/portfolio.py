"""The portfolio: one filtered query that page, chart, list and CSV share (LC-2, LC-4, LC-5, DC-7)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from itertools import islice
from typing import Self

from django.db.models import Case, CharField, Count, OuterRef, Prefetch, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Lower
from django.http import QueryDict

from orchestrator.core.engine import explain
from orchestrator.core.engine.attention import QUIET, WorkstreamCounts, lifecycle, signals, window_start
from orchestrator.core.engine.usage import Usage
from orchestrator.core.terms import Lifecycle, Signal, TimeWindow, VersionStatus, WorkstreamStatus
from orchestrator.models import HistoryEntry, WorkflowVersion, Workstream, WorkstreamNeed
from orchestrator.queries.base.asked import Asked, Unknown, usernames
from orchestrator.queries.base.sorting import in_order
from orchestrator.queries.base.used import used_in_each
from orchestrator.queries.engine.holds import work_is_stopped
from orchestrator.queries.plans.effect import promised_to_each
from orchestrator.queries.work.fronts import FrontRoot, front_roots

#: The columns of a row that anybody shows: there are as many rows as there ever was work.
_READ = (
    "uuid", "slug", "title", "status", "domain", "open_tasks", "done_tasks", "blocked_tasks", "budget",
    "over_budget", "created_at", "updated_at", "started_at", "finished_at", "accepted_at", "owner__username",
    "version__number", "version__budget", "version__effective_at", "version__decided_at",
    "version__workflow__slug", "prehandoff__signed_at",
)  # fmt: skip
#: Rows of the CSV that are read and explained together.
CHUNK = 500
#: How a link names the workstreams that have no domain.
NO_DOMAIN = "-"
#: What the page calls its filters.
LABELS = {"signal": "Attention", "window": "Created or updated in", "text": "Title contains"}

#: The same rules as core.attention, as conditions of the database; a test holds the two together.
FINISHED = Q(open_tasks=0, done_tasks__gt=0)
LIFECYCLES: dict[Lifecycle, Q] = {
    Lifecycle.PLANNING: Q(status=WorkstreamStatus.PLANNING),
    Lifecycle.ACTIVE: Q(status=WorkstreamStatus.ACTIVE) & ~FINISHED,
    Lifecycle.FINISHED: Q(status=WorkstreamStatus.ACTIVE) & FINISHED,
    Lifecycle.ACCEPTED: Q(status=WorkstreamStatus.COMPLETED),
    Lifecycle.ARCHIVED: Q(status=WorkstreamStatus.ARCHIVED),
}


def signal_conditions(now: datetime) -> dict[Signal, Q]:
    limit = now.astimezone(UTC) - QUIET
    return {
        Signal.BLOCKED: Q(blocked_tasks__gt=0),
        Signal.STALLED: Q(open_tasks__gt=0, done_tasks__gt=0, updated_at__lt=limit),
        Signal.OLDIES: Q(open_tasks__gt=0, done_tasks=0, created_at__lt=limit),
    }


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader chose. Values of one kind widen (active or finished); different kinds narrow."""

    states: frozenset[Lifecycle] = frozenset()
    signals: frozenset[Signal] = frozenset()
    window: TimeWindow | None = None
    domain: str = ""
    owner: str = ""
    workflow: str = ""
    text: str = ""
    sort: str = ""
    unknown: tuple[Unknown, ...] = ()

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        """From a query string; unknown values filter nothing, so an old link still opens, and are said."""
        asked = Asked(query, LABELS)
        read = cls(
            states=frozenset(asked.terms("state", Lifecycle)),
            signals=frozenset(asked.terms("signal", Signal)),
            window=asked.term("window", TimeWindow),
            domain=asked.one_of("domain", lambda: [*domains(), NO_DOMAIN]),
            owner=asked.one_of("owner", usernames),
            workflow=asked.one_of("workflow", lambda: choices()["workflows"]),
            text=asked.text("text"),
            sort=asked.order(SORTS),
        )
        return replace(read, unknown=tuple(asked.unknown))

    def conditions(self, now: datetime, zone: tzinfo) -> Q:
        return self._by_state() & self._by_signal(now) & self._by_window(now, zone) & self._by_name()

    def _by_state(self) -> Q:
        return _any(LIFECYCLES[state] for state in sorted(self.states))

    def _by_signal(self, now: datetime) -> Q:
        known = signal_conditions(now)
        return _any(known[signal] for signal in sorted(self.signals))

    def _by_window(self, now: datetime, zone: tzinfo) -> Q:
        if self.window is None:
            return Q()
        start = window_start(self.window, now, zone)
        return Q(updated_at__gte=start) | Q(created_at__gte=start)

    def _by_name(self) -> Q:
        found = Q()
        if self.domain:
            found &= Q(domain="" if self.domain == NO_DOMAIN else self.domain)
        if self.owner:
            found &= Q(owner__username=self.owner)
        if self.workflow:
            found &= Q(version__workflow__slug=self.workflow)
        if self.text:
            found &= Q(title__icontains=self.text) | Q(slug__icontains=self.text)
        return found


def _any(conditions: Iterable[Q]) -> Q:
    """One of the conditions; none given means no restriction."""
    found = Q()
    for condition in conditions:
        found |= condition
    return found


@dataclass(frozen=True, slots=True)
class PortfolioItem:
    """A workstream as the portfolio shows it."""

    workstream: Workstream
    state: Lifecycle
    signals: tuple[Signal, ...]
    why: str
    used: tuple[Usage, ...] = ()

    @property
    def total(self) -> int:
        return self.workstream.open_tasks + self.workstream.done_tasks

    @property
    def notable(self) -> bool:
        """Accepted and blocked labels stand out in time-based views (LC-4)."""
        return self.state == Lifecycle.ACCEPTED or Signal.BLOCKED in self.signals


@dataclass(frozen=True, slots=True)
class Bar:
    """One domain of the chart: how many workstreams stand in each lifecycle state."""

    domain: str
    counts: dict[Lifecycle, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Portfolio:
    """Everything about one choice of filters at one moment.

    Each property reads the database once, when asked.
    """

    def __init__(self, filters: Filters, now: datetime, zone: tzinfo) -> None:
        self.filters, self.now, self.zone = filters, now, zone

    @cached_property
    def stopped(self) -> bool:
        """Whether all work waits because workspace and database came apart."""
        return work_is_stopped()

    @property
    def rows(self) -> QuerySet[Workstream]:
        """The filtered workstreams, what needs attention first: blocked, then longest untouched."""
        return (
            Workstream.objects.filter(self.filters.conditions(self.now, self.zone))
            .select_related("owner", "version__workflow", "prehandoff")
            .only(*_READ)
            .prefetch_related(Prefetch("needs", WorkstreamNeed.objects.select_related("needed")))
            .annotate(undecided=number_in_review(), promised=_promised_version(), decided=_newest_decision())
            .order_by(*in_order(self.filters.sort, SORTS, ATTENTION_FIRST))
        )

    def items_of(self, workstreams: Sequence[Workstream]) -> list[PortfolioItem]:
        """These rows with what each waits for, in a fixed number of statements."""
        ids = [one.pk for one in workstreams]
        roots = front_roots(workstreams, self.now, stopped=self.stopped)
        counts = {one.pk: counts_of(one) for one in workstreams}
        raised = {pk: signals(one, self.now) for pk, one in counts.items()}
        last = last_entries([pk for pk, found in raised.items() if Signal.STALLED in found])
        used = used_in_each(ids)
        items = []
        for one in workstreams:
            why = self._why(one, roots.get(one.pk), last.get(one.pk, ""))
            ordered = tuple(signal for signal in Signal if signal in raised[one.pk])
            state = lifecycle(counts[one.pk])
            items.append(PortfolioItem(one, state, ordered, why, used.get(one.pk, ())))
        return items

    def _why(self, workstream: Workstream, root: FrontRoot | None, last: str) -> str:
        needs = waits_for(workstream)
        state = explain.workstream(counts_of(workstream), self.now, root.sentence if root else "", last)
        if workstream.status == WorkstreamStatus.PLANNING:
            state = explain.DECIDED_PLAN.get(workstream.decided, state)  # type: ignore[attr-defined]
        if needs and root and root.stop.kind is None:
            state = ""
        return " ".join(filter(None, (state, needs, waits_for_a_version(workstream))))

    def items(self) -> Iterator[PortfolioItem]:
        """Every row, streamed: what the CSV writes."""
        for rows in batched(self.rows.iterator(chunk_size=CHUNK), CHUNK):
            yield from self.items_of(rows)

    @cached_property
    def bars(self) -> list[Bar]:
        """The chart's figures: domains by name, those without a domain last."""
        table: dict[str, dict[Lifecycle, int]] = defaultdict(lambda: dict.fromkeys(Lifecycle, 0))
        counted = (
            Workstream.objects.filter(self.filters.conditions(self.now, self.zone))
            .order_by()
            .values_list("domain", LIFECYCLE)
            .annotate(count=Count("pk"))
        )
        for domain, state, count in counted:
            table[domain][Lifecycle(state)] = count
        domains = sorted(table, key=lambda domain: (domain == "", domain.casefold()))
        return [Bar(domain, table[domain]) for domain in domains]

    @property
    def count(self) -> int:
        return sum(bar.total for bar in self.bars)

    @cached_property
    def facets(self) -> dict[str, int]:
        """How many workstreams each state, signal and window would show, with the other filters kept."""
        counts: dict[str, Count] = {}
        base = self.filters
        for state in Lifecycle:
            counts[f"state_{state.value}"] = self._count(replace(base, states=frozenset({state})))
        for signal in Signal:
            counts[f"signal_{signal.value}"] = self._count(replace(base, signals=frozenset({signal})))
        for window in TimeWindow:
            counts[f"window_{window.value}"] = self._count(replace(base, window=window))
        counts["window_"] = self._count(replace(base, window=None))
        return Workstream.objects.aggregate(**counts)

    def _count(self, filters: Filters) -> Count:
        return Count("pk", filter=filters.conditions(self.now, self.zone) & Q(pk__isnull=False))


def waits_for(workstream: Workstream) -> str:
    """A sentence on the workstreams that have to be completed first; empty when there is none (AD-3)."""
    if not workstream.is_open:
        return ""
    needs = (need.needed for need in workstream.needs.all())
    titles = [needed.title for needed in needs if needed.status != WorkstreamStatus.COMPLETED]
    return explain.needs_workstreams(titles) if titles else ""


def waits_for_a_version(workstream: Workstream) -> str:
    """A sentence on the version of work under way that nobody has decided about yet, or that is approved and
    not in effect (LC-3).
    """
    if workstream.status != WorkstreamStatus.ACTIVE:
        return ""
    if number := workstream.undecided:  # type: ignore[attr-defined]
        return explain.undecided_version(number)
    number = workstream.promised  # type: ignore[attr-defined]
    return explain.promised_version(number) if number else ""


def last_entries(workstreams: Sequence[int]) -> dict[int, str]:
    """What happened last in each of these workstreams; by the index of their histories."""
    if not workstreams:
        return {}
    newest = HistoryEntry.objects.filter(workstream=OuterRef("pk")).order_by("-number").values("pk")[:1]
    entries = Workstream.objects.filter(pk__in=workstreams).values_list(Subquery(newest), flat=True)
    rows = HistoryEntry.objects.filter(pk__in=[pk for pk in entries if pk is not None])
    told = rows.values_list("workstream", "action", "subject", "actor")
    return {pk: explain.last_act(action, subject, actor) for pk, action, subject, actor in told}


def batched(rows: Iterable[Workstream], size: int) -> Iterator[list[Workstream]]:
    """At most `size` at a time."""
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some


def number_in_review() -> Subquery:
    """The number of the newest version that is in review for a row's workstream."""
    waiting = WorkflowVersion.objects.filter(workstream=OuterRef("pk"), status=VersionStatus.IN_REVIEW)
    return Subquery(waiting.order_by("-number").values("number")[:1])


def _newest_decision() -> Subquery:
    """What became of the newest version that was submitted for a row's workstream."""
    submitted = WorkflowVersion.objects.filter(workstream=OuterRef("pk"))
    return Subquery(submitted.order_by("-number").values("status")[:1])


def _promised_version() -> Subquery:
    """The number of the newest version that is approved and not in effect for a row's workstream."""
    return Subquery(promised_to_each().values("number")[:1])


def counts_of(workstream: Workstream) -> WorkstreamCounts:
    return WorkstreamCounts(
        status=WorkstreamStatus(workstream.status),
        open_tasks=workstream.open_tasks,
        done_tasks=workstream.done_tasks,
        blocked_tasks=workstream.blocked_tasks,
        created_at=workstream.created_at,
        updated_at=workstream.updated_at,
    )


LIFECYCLE = Case(
    *(When(condition, then=Value(state.value)) for state, condition in LIFECYCLES.items()),
    output_field=CharField(),
)
#: Blocked work first, then finished work that waits for acceptance, then active, planned and closed work.
ATTENTION_FIRST = (
    Case(
        When(blocked_tasks__gt=0, then=Value(0)),
        When(LIFECYCLES[Lifecycle.FINISHED], then=Value(1)),
        When(LIFECYCLES[Lifecycle.ACTIVE], then=Value(2)),
        When(LIFECYCLES[Lifecycle.PLANNING], then=Value(3)),
        default=Value(4),
    ),
    "updated_at",
    "pk",
)


#: What a reader may sort the list by.
SORTS: dict[str, str | Case | Lower] = {
    "title": Lower("title"),
    "state": Case(
        *(When(condition, then=Value(turn)) for turn, condition in enumerate(LIFECYCLES.values())),
    ),
    "domain": Lower("domain"),
    "owner": "owner__username",
    "done": "done_tasks",
    "updated": "updated_at",
}


def choices() -> dict[str, list[str]]:
    """What the drop-downs offer: domains, owners and workflows that have a workstream."""
    names = {"domains": "domain", "owners": "owner__username", "workflows": "version__workflow__slug"}
    each = [
        Workstream.objects.order_by().values_list(Value(kind), Cast(name, CharField())).distinct()
        for kind, name in names.items()
    ]
    found: dict[str, list[str]] = {kind: [] for kind in names}
    for kind, name in each[0].union(*each[1:], all=True):
        found[kind].append(name)
    return {kind: sorted(of_kind, key=str.casefold) for kind, of_kind in found.items()}


def domains() -> list[str]:
    """The domains that have a workstream, by name."""
    found = Workstream.objects.order_by().values_list("domain", flat=True).distinct()
    return sorted(found, key=str.casefold)
