"""Blockers with what they cost: the list, and the blocked time of tasks and workstreams (FR-012)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import QueryDict

from orchestrator.core.engine.impact import Impact, blocked_time, impact_of
from orchestrator.core.terms import BlockerKind
from orchestrator.models import Blocker, Workstream
from orchestrator.queries.base.asked import Asked, usernames
from orchestrator.queries.base.sorting import in_order
from orchestrator.queries.engine.snapshot import load_snapshot
from orchestrator.queries.work.projection import critical_keys

STATES = ("open", "resolved", "all")
SORTS = {"task": "task__step__key", "owner": "owner__username", "since": "declared_at"}


@dataclass(frozen=True, slots=True)
class BlockerFilter:
    """What the list shows; empty means any."""

    state: str = "open"
    owner: str = ""
    kind: str = ""
    workstream: str = ""
    sort: str = ""
    unknown: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> "BlockerFilter":
        """Unknown values filter nothing, so that an old link still opens, and are said."""
        asked = Asked(query)
        read = cls(
            state=asked.one_of("state", STATES) or "open",
            owner=asked.one_of("owner", usernames),
            kind=asked.term("kind", BlockerKind) or "",
            sort=asked.order(SORTS),
        )
        return replace(read, unknown=tuple(asked.unknown))


@dataclass(frozen=True, slots=True)
class BlockerRow:
    """A blocker, how long it has stood or stood, and while it is open what it holds up."""

    blocker: Blocker
    lasted: timedelta
    impact: Impact | None


def blockers(wanted: BlockerFilter) -> QuerySet[Blocker]:
    """Open ones first, longest open first; then those resolved last."""
    rows = Blocker.objects.select_related(
        "task__step", "task__workstream", "owner", "declared_by", "resolved_by"
    )
    if wanted.state != "all":
        rows = rows.filter(resolved_at__isnull=wanted.state == "open")
    if wanted.owner:
        rows = rows.filter(owner__username=wanted.owner)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.workstream:
        rows = rows.filter(task__workstream__uuid=wanted.workstream)
    usual = ("-resolved_at" if wanted.state == "resolved" else "declared_at", "pk")
    return rows.order_by(*in_order(wanted.sort, SORTS, usual))


def blocker_owners() -> QuerySet[User]:
    return User.objects.filter(pk__in=Blocker.objects.values("owner")).order_by("username")


def blocker_rows(found: Iterable[Blocker], now: datetime) -> list[BlockerRow]:
    """With the impact of the open ones; one snapshot for each workstream among them."""
    rows = list(found)
    by_workstream: dict[int, list[Blocker]] = defaultdict(list)
    for blocker in rows:
        if blocker.resolved_at is None:
            by_workstream[blocker.task.workstream_id].append(blocker)
    impacts: dict[int, Impact] = {}
    for pk, open_ones in by_workstream.items():
        impacts |= _impacts(Workstream.objects.select_related("version").get(pk=pk), open_ones)
    return [BlockerRow(row, (row.resolved_at or now) - row.declared_at, impacts.get(row.pk)) for row in rows]


@dataclass(frozen=True, slots=True)
class Blocked:
    """The open blockers of a task or a workstream, and how long work was blocked there in all."""

    rows: list[BlockerRow]
    total: timedelta


def blocked_task(workstream: Workstream, key: str, now: datetime) -> Blocked:
    found = blockers(BlockerFilter(state="all", workstream=str(workstream.uuid))).filter(task__step__key=key)
    return _blocked(found, now)


def blocked_workstream(workstream: Workstream, now: datetime) -> Blocked:
    return _blocked(blockers(BlockerFilter(state="all", workstream=str(workstream.uuid))), now)


def _blocked(found: Iterable[Blocker], now: datetime) -> Blocked:
    """Time in which several blockers were open counts once."""
    everything = list(found)
    total = blocked_time((blocker.declared_at, blocker.resolved_at or now) for blocker in everything)
    return Blocked(
        blocker_rows([blocker for blocker in everything if blocker.resolved_at is None], now), total
    )


def _impacts(workstream: Workstream, open_ones: Sequence[Blocker]) -> dict[int, Impact]:
    """A blocker on a step that a later version dropped holds nothing up."""
    loaded = load_snapshot(workstream)
    critical = critical_keys(workstream, loaded)
    estimates = {key: task.step.estimate for key, task in loaded.tasks.items()}
    views = loaded.snapshot.tasks
    return {
        blocker.pk: impact_of(blocker.task.step.key, views, estimates, critical)
        for blocker in open_ones
        if blocker.task.step.key in loaded.tasks
    }
