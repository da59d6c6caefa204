"""Blockers with what they cost: the list, and the blocked time of tasks and workstreams (FR-012)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import QueryDict

from orchestrator.core.engine.impact import Impact, blocked_time, impact_of
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import BlockerKind, TaskStatus
from orchestrator.models import Batch, Blocker, Stage, Step, StepNeed, Task, Thread, Workstream
from orchestrator.queries.base.asked import Asked, Unknown, usernames
from orchestrator.queries.base.sorting import in_order
from orchestrator.queries.base.sql import Joined, Table, link
from orchestrator.queries.work.projection import critical_keys, place

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
    unknown: tuple[Unknown, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> "BlockerFilter":
        """Unknown values filter nothing, so that an old link still opens, and are said."""
        asked = Asked(query, {"kind": "Class"})
        read = cls(
            state=asked.one_of("state", STATES, STATES) or "open",
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
    """With the impact of the open ones, in a fixed number of statements."""
    rows = list(found)
    open_ones = [blocker for blocker in rows if blocker.resolved_at is None]
    impacts = _impacts(open_ones) if open_ones else {}
    return [BlockerRow(row, (row.resolved_at or now) - row.declared_at, impacts.get(row.pk)) for row in rows]


@dataclass(frozen=True, slots=True)
class Blocked:
    """The open blockers of a task or a workstream, and how long work was blocked there in all."""

    rows: list[BlockerRow]
    total: timedelta


NOTHING_BLOCKED: Final = Blocked([], timedelta())


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


def _impacts(open_ones: Sequence[Blocker]) -> dict[int, Impact]:
    """By id of the blocker, in two statements, however many workstreams they are in. A blocker on a step that
    a later version dropped holds nothing up."""
    workstreams = {blocker.task.workstream_id: blocker.task.workstream.title for blocker in open_ones}
    tasks: dict[int, list[Task]] = defaultdict(list)
    for task in _tasks_of(workstreams):
        tasks[task.workstream_id].append(task)
    needs = _needs_of({task.step.version_id for some in tasks.values() for task in some})
    behind = {pk: _Behind(workstreams[pk], some, needs) for pk, some in tasks.items()}
    impacts = {
        blocker.pk: behind[pk].of(blocker.task.step.key)
        for blocker in open_ones
        if (pk := blocker.task.workstream_id) in behind
    }
    return {pk: impact for pk, impact in impacts.items() if impact}


def _tasks_of(workstreams: Collection[int]) -> Iterator[Task]:
    """The tasks of the steps in effect, with no more than their order and their estimates; what stands above
    several steps is one row for all of them."""
    above: dict[tuple[str, int], Model] = {}
    for found in _statement(len(workstreams)).rows(*workstreams):
        task: Task = found["task"]
        row: Model = task
        for name in ("step", "thread", "batch", "stage"):
            upper = above.setdefault((name, found[name].pk), found[name])
            link(row, name, upper)
            row = upper
        yield task


@lru_cache(200)
def _statement(size: int) -> Joined:
    """For so many workstreams."""
    return Joined(
        _TABLES,
        f"""orchestrator_task task
JOIN orchestrator_workstream workstream ON workstream.id = task.workstream_id
JOIN orchestrator_step step ON step.id = task.step_id AND step.version_id = workstream.version_id
JOIN orchestrator_thread thread ON thread.id = step.thread_id
JOIN orchestrator_batch batch ON batch.id = thread.batch_id
JOIN orchestrator_stage stage ON stage.id = batch.stage_id
WHERE task.workstream_id IN ({", ".join(["%s"] * size)})""",
    )


_STEP: Final = (
    "version_id", "thread_id", "key", "title", "position", "kind", "gate_kind", "parallel", "run_index",
    "estimate",
)  # fmt: skip
_TABLES: Final = {
    "task": Table(Task, ("workstream_id", "step_id", "status")),
    "step": Table(Step, _STEP),
    "thread": Table(Thread, ("batch_id", "position", "lane", "name")),
    "batch": Table(Batch, ("stage_id", "position", "prefix", "name")),
    "stage": Table(Stage, ("position", "number", "name")),
}


def _needs_of(versions: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The keys that each step of these versions needs, by its id."""
    needs: dict[int, list[str]] = defaultdict(list)
    rows = StepNeed.objects.filter(step__version__in=[*versions]).order_by("needed__key")
    for step, key in rows.values_list("step", "needed__key"):
        needs[step].append(key)
    return {step: tuple(keys) for step, keys in needs.items()}


class _Behind:
    """What stands behind the tasks of one workstream."""

    def __init__(self, title: str, tasks: Sequence[Task], needs: Mapping[int, tuple[str, ...]]) -> None:
        self._views = [_view(task, needs.get(task.step_id, ())) for task in tasks]
        self._estimates = {task.step.key: task.step.estimate for task in tasks}
        self._critical = critical_keys(title, tasks, {view.key: view.needs for view in self._views})

    def of(self, key: str) -> Impact | None:
        if key not in self._estimates:
            return None
        return impact_of(key, self._views, self._estimates, self._critical)


def _view(task: Task, needs: tuple[str, ...]) -> TaskView:
    step = task.step
    return TaskView(
        key=step.key,
        place=place(task),
        status=TaskStatus(task.status),
        gate=step.is_gate,
        parallel=step.parallel,
        needs=needs,
        run=step.run_index,
    )
