"""What a round looks at: the open frontier, found by index, so that its cost does not grow with the plan
(FR-005).

While nothing changed beneath all verdicts (the first open batch, what holds the workstream, files that cannot
be used, who alone may claim), a round judges the tasks that acts marked as due, those of their threads whose
turn has come or comes next, and those that needed them. Otherwise it judges the whole front of the first open
batch.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery

from orchestrator.core.engine.contention import Claims
from orchestrator.core.engine.values import Snapshot, TaskView
from orchestrator.models import Step, StepNeed, Task, Thread, WorkflowVersion, Workstream
from orchestrator.queries.base.parts import MANY, in_parts
from orchestrator.queries.base.prepared import Prepared
from orchestrator.queries.engine.contenders import elsewhere, holders_of
from orchestrator.queries.engine.holds import hold_on
from orchestrator.queries.engine.task_views import Facts, Unusable, unusable_handovers
from orchestrator.queries.engine.threads import ThreadPlace, sole_executors


@dataclass(frozen=True, slots=True)
class Round:
    """A partial snapshot, the rows of its judged tasks by key, the ids of the due ones, and what all of it
    rests on.
    """

    snapshot: Snapshot
    tasks: dict[str, Task]
    due: frozenset[int]
    ground: str


class _Lane(NamedTuple):
    """The front of a thread: its lowest open task, and that one's run."""

    task: int
    run: int


class _Conditional(NamedTuple):
    """A task whose step has a condition."""

    task: int
    step: int
    thread: int


class _Row(NamedTuple):
    """A task, read as a plain row; `batch` is None when it is closed."""

    task: int
    step: int
    thread: int
    batch: int | None
    standing: bool


def _of_steps(workstream: int, steps: Sequence[int]) -> list[_Row]:
    return [_Row(*row) for row in _tasks_of_steps(workstream, steps)]


@Prepared
def _tasks_of_steps(
    workstream: int, steps: list[int]
) -> QuerySet[Task, tuple[int, int, int, int | None, bool]]:
    tasks = Task.objects.filter(workstream=workstream, step__in=steps).order_by()
    return tasks.values_list("pk", "step_id", "thread_id", "open_batch", "standing")


def version_of(workstream: Workstream) -> WorkflowVersion:
    """A workstream's version with its workflow; without the text, which may be megabytes and is seldom asked
    for.
    """
    return _versions(workstream.version_id)[0]


@Prepared
def _versions(pk: int) -> QuerySet[WorkflowVersion]:
    return WorkflowVersion.objects.filter(pk=pk).select_related("workflow").defer("source").order_by()


def load_round(workstream: Workstream, now: datetime, *, afresh: bool = False) -> Round:
    """Read the frontier of a locked workstream; `afresh` looks at all of it, whatever was remembered."""
    hold, unusable = hold_on(workstream, now), unusable_handovers(workstream)
    here, assigned = _first_open_batch(workstream), sole_executors(workstream)
    ground = _ground(workstream, here, hold, unusable, assigned)
    due, conditional = _Due(workstream), _conditional(workstream, here, afresh)
    whole = afresh or ground != workstream.judged_on
    lanes = _lanes(workstream, here, None if whole else due.threads(here, conditional))
    waiting = _waiting(workstream, here, lanes, afresh)
    needed = _Needed(workstream, {**due.open, **waiting, **{pk: step for pk, step, _ in conditional}})
    ids = due.open.keys() | {pk for pk, *_ in conditional} | {pk for pk in waiting if not needed.any_open(pk)}
    judged = _rows(ids)
    context = _rows((needed.of(ids) | _ahead(judged, lanes) | unusable.keys()) - ids)
    facts = Facts(workstream, [*judged, *context], unusable, assigned)
    views = {task.step.key: facts.view(task) for task in judged}
    kept = [task for task in judged if _has_a_say(task, views[task.step.key], here)]
    wanted = [] if hold else [views[t.step.key].claims for t in kept if not views[t.step.key].live]
    snapshot = Snapshot(
        tuple(views[task.step.key] for task in kept),
        hold,
        context=(
            *map(facts.view, context),
            *_holders(workstream, wanted, ids | {t.pk for t in context}, assigned),
        ),
        elsewhere=elsewhere(workstream, wanted),
    )
    return Round(snapshot, {task.step.key: task for task in kept}, frozenset(due.all), ground)


def _first_open_batch(workstream: Workstream) -> int | None:
    return next(iter(_lowest_open(workstream.pk)), None)


@Prepared
def _lowest_open(workstream: int) -> QuerySet[Task, int]:
    tasks = Task.objects.filter(workstream=workstream, open_batch__isnull=False)
    return tasks.order_by("open_batch").values_list("open_batch", flat=True)[:1]


def _ground(
    workstream: Workstream,
    here: int | None,
    hold: object,
    unusable: Mapping[int, Unusable],
    assigned: Mapping[ThreadPlace, str],
) -> str:
    rests_on = (workstream.version_id, here, hold, sorted(unusable.items()), sorted(assigned.items()))
    return hashlib.sha256(repr(rests_on).encode()).hexdigest()


def _has_a_say(task: Task, view: TaskView, here: int | None) -> bool:
    """A task of a later batch waits for the first open one, unless its own state decides."""
    return task.batch_index == here or view.stands


class _Due:
    """The tasks that acts, or the round before, left for this one."""

    def __init__(self, workstream: Workstream) -> None:
        self.workstream = workstream
        self.rows = _due_tasks(workstream.pk)
        self.all = {row[0] for row in self.rows}
        #: The step of each that is open.
        self.open = {
            row[0]: row[1] for row in self.rows if row[3] is not None and row[4] == workstream.version_id
        }

    def threads(self, here: int | None, conditional: Iterable[_Conditional]) -> set[int] | None:
        """Threads that a due task stands in or frees, and those of conditional ones; None when they are too
        many to name."""
        if len(self.rows) > MANY:
            return None
        closed = [step for _, step, _, batch, _ in self.rows if batch is None]
        found = {thread for _, _, thread, _, _ in self.rows if thread}.union(
            one.thread for one in conditional
        )
        # The steps first: SQLite would begin with all tasks.
        for some in in_parts(_freed(closed)):
            found.update(row.thread for row in _of_steps(self.workstream.pk, some) if row.batch == here)
        return found


@Prepared
def _due_tasks(workstream: int) -> QuerySet[Task, tuple[int, int, int | None, int | None, int]]:
    rows = Task.objects.filter(workstream=workstream, due=True).order_by()
    return rows.values_list("pk", "step_id", "thread_id", "open_batch", "step__version_id")


@Prepared
def _freed(closed: list[int]) -> QuerySet[StepNeed, int]:
    return StepNeed.objects.filter(needed__in=closed).order_by().values_list("step_id", flat=True)


def _lanes(workstream: Workstream, here: int | None, threads: set[int] | None) -> dict[int, _Lane]:
    """The front of these threads in the first open batch, or of all its threads."""
    if here is None:
        return {}
    if threads is None:
        tasks = Task.objects.filter(workstream=workstream, open_batch=here).order_by()
        threads = set(tasks.values_list("thread_id", flat=True).distinct())
    return {
        thread: _Lane(task, run)
        for some in in_parts(sorted(threads))
        for thread, task, run in _fronts(workstream.pk, here, some)
    }


@Prepared
def _fronts(workstream: int, here: int, threads: list[int]) -> QuerySet[Task, tuple[int, int, int]]:
    tasks = Task.objects.filter(workstream=workstream, open_batch=here).order_by("run_index", "position")
    lowest = Subquery(tasks.filter(thread=OuterRef("pk")).values("pk")[:1])
    first = Thread.objects.filter(pk__in=threads).order_by().values(lowest=lowest)
    return Task.objects.filter(pk__in=first).order_by().values_list("thread_id", "pk", "run_index")


def _waiting(
    workstream: Workstream, here: int | None, lanes: Mapping[int, _Lane], afresh: bool
) -> dict[int, int]:
    """The tasks in the lowest open run of each thread and the one behind it, with their steps."""
    by_run: dict[int, list[int]] = defaultdict(list)
    for thread, lane in lanes.items():
        by_run[lane.run].append(thread)
    found: dict[int, int] = {}
    for run, threads in by_run.items():
        for some in in_parts(threads):
            found.update(_in_runs(afresh, workstream.pk, here, some, [run, run + 1]))
    return found


@Prepared
def _in_runs(
    afresh: bool, workstream: int, here: int, threads: list[int], runs: list[int]
) -> QuerySet[Task, tuple[int, int]]:
    tasks = Task.objects.filter(
        workstream=workstream, open_batch=here, thread__in=threads, run_index__in=runs
    )
    return _unsettled(tasks, afresh).order_by().values_list("pk", "step_id")


def _unsettled(tasks: QuerySet[Task], afresh: bool) -> QuerySet[Task]:
    """A task whose last verdict rests on its own unchanged state need not be looked at."""
    return tasks if afresh else tasks.filter(standing=False)


def _conditional(workstream: Workstream, here: int | None, afresh: bool) -> list[_Conditional]:
    """Tasks of the first open batch with a condition: it may be decided before their turn in the thread
    (AD-8).
    """
    if here is None:
        return []
    return [
        _Conditional(row.task, row.step, row.thread)
        for some in in_parts(_conditional_steps(workstream.version_id, here))
        for row in _of_steps(workstream.pk, some)
        if row.batch == here and (afresh or not row.standing)
    ]


@Prepared
def _conditional_steps(version: int, here: int) -> QuerySet[Step, int]:
    steps = Step.objects.filter(version=version, batch_index=here, condition__gt="").order_by()
    return steps.values_list("pk", flat=True)


class _Needed:
    """The tasks that the steps of some tasks name as their needs. `steps` are theirs, by task."""

    def __init__(self, workstream: Workstream, steps: Mapping[int, int]) -> None:
        self._steps = steps
        self._needs: dict[int, set[int]] = defaultdict(set)
        for some in in_parts(sorted(set(steps.values()))):
            for step, needed in _needs(some):
                self._needs[step].add(needed)
        self._tasks: dict[int, int] = {}
        self._open: set[int] = set()
        for some in in_parts(sorted({one for needs in self._needs.values() for one in needs})):
            for row in _of_steps(workstream.pk, some):
                self._tasks[row.step] = row.task
                if row.batch is not None:
                    self._open.add(row.step)

    def any_open(self, task: int) -> bool:
        return not self._open.isdisjoint(self._needs.get(self._steps[task], ()))

    def of(self, tasks: Iterable[int]) -> set[int]:
        steps = {needed for task in tasks for needed in self._needs.get(self._steps[task], ())}
        return {self._tasks[step] for step in steps if step in self._tasks}


@Prepared
def _needs(steps: list[int]) -> QuerySet[StepNeed, tuple[int, int]]:
    return StepNeed.objects.filter(step__in=steps).order_by().values_list("step_id", "needed_id")


def _ahead(judged: Sequence[Task], lanes: Mapping[int, _Lane]) -> set[int]:
    """The lowest open task of each thread in which a judged one waits behind it."""
    fronts = [(task, lanes[task.step.thread_id]) for task in judged if task.step.thread_id in lanes]
    return {lane.task for task, lane in fronts if task.run_index > lane.run}


def _holders(
    workstream: Workstream, wanted: Iterable[Claims], known: set[int], assigned: Mapping[ThreadPlace, str]
) -> tuple[TaskView, ...]:
    rows = _rows(set(holders_of(workstream, wanted)) - known)
    facts = Facts(workstream, rows, {}, assigned) if rows else None
    return tuple(facts.view(row) for row in rows) if facts else ()


def _rows(ids: Iterable[int]) -> list[Task]:
    return [task for some in in_parts(sorted(ids)) for task in _with_places(some)]


@Prepared
def _with_places(ids: list[int]) -> QuerySet[Task]:
    return Task.objects.filter(pk__in=ids).select_related("step__thread__batch__stage", "verdict")
