"""What a round looks at: the open frontier, found by index, so that its cost does not grow with the plan (FR-005).

While nothing changed beneath all verdicts (the first open batch, what holds the workstream, files that cannot be used,
who alone may claim), a round judges the tasks that acts marked as due, those of their threads whose turn has come or
comes next, and those that needed them. Otherwise it judges the whole front of the first open batch.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import OuterRef, Q, Subquery

from orchestrator.core.contention import Claims
from orchestrator.core.schedule import Snapshot, TaskView
from orchestrator.models import Step, StepNeed, Task, Thread, Workstream
from orchestrator.queries.contenders import elsewhere, holders_of
from orchestrator.queries.holds import hold_on
from orchestrator.queries.parts import MANY, in_parts
from orchestrator.queries.task_views import Facts, unusable_handovers
from orchestrator.queries.threads import ThreadPlace, sole_executors


@dataclass(frozen=True, slots=True)
class Round:
    """A partial snapshot, the rows of its judged tasks by key, the ids of the due ones, and what all of it rests on."""

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
        context=(*map(facts.view, context), *_holders(workstream, wanted, ids | {t.pk for t in context}, assigned)),
        elsewhere=elsewhere(workstream, wanted),
    )
    return Round(snapshot, {task.step.key: task for task in kept}, frozenset(due.all), ground)


def _first_open_batch(workstream: Workstream) -> int | None:
    tasks = Task.objects.filter(workstream=workstream, open_batch__isnull=False)
    return tasks.order_by("open_batch").values_list("open_batch", flat=True).first()


def _ground(
    workstream: Workstream,
    here: int | None,
    hold: object,
    unusable: Mapping[int, str],
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
        rows = Task.objects.filter(workstream=workstream, due=True).order_by()
        self.workstream = workstream
        self.rows = list(rows.values_list("pk", "step_id", "thread_id", "open_batch", "step__version_id"))
        self.all = {row[0] for row in self.rows}
        #: The step of each that is open.
        self.open = {row[0]: row[1] for row in self.rows if row[3] is not None and row[4] == workstream.version_id}

    def threads(self, here: int | None, conditional: Iterable[_Conditional]) -> set[int] | None:
        """Threads that a due task stands in or frees, and those of conditional ones; None when they are too many to
        name."""
        if len(self.rows) > MANY:
            return None
        closed = [step for _, step, _, batch, _ in self.rows if batch is None]
        found = {thread for _, _, thread, _, _ in self.rows}.union(one.thread for one in conditional)
        # The steps first: SQLite would begin with all tasks.
        freed = list(StepNeed.objects.filter(needed__in=closed).order_by().values_list("step_id", flat=True))
        for some in in_parts(freed):
            tasks = Task.objects.filter(workstream=self.workstream, step__in=some, open_batch=here).order_by()
            found.update(tasks.values_list("thread_id", flat=True))
        return found


def _lanes(workstream: Workstream, here: int | None, threads: set[int] | None) -> dict[int, _Lane]:
    """The front of these threads in the first open batch, or of all its threads."""
    if here is None:
        return {}
    tasks = Task.objects.filter(workstream=workstream, open_batch=here).order_by("run_index", "position")
    if threads is None:
        threads = set(tasks.order_by().values_list("thread_id", flat=True).distinct())
    lowest = Subquery(tasks.filter(thread=OuterRef("pk")).values("pk")[:1])
    lanes: dict[int, _Lane] = {}
    for some in in_parts(sorted(threads)):
        first = Thread.objects.filter(pk__in=some).order_by().values(lowest=lowest)
        rows = Task.objects.filter(pk__in=first).order_by().values_list("thread_id", "pk", "run_index")
        lanes.update((thread, _Lane(task, run)) for thread, task, run in rows)
    return lanes


def _waiting(workstream: Workstream, here: int | None, lanes: Mapping[int, _Lane], afresh: bool) -> dict[int, int]:
    """The tasks in the lowest open run of each thread and the one behind it, with their steps."""
    waiting = Task.objects.filter(_unsettled(afresh), workstream=workstream, open_batch=here).order_by()
    by_run: dict[int, list[int]] = defaultdict(list)
    for thread, lane in lanes.items():
        by_run[lane.run].append(thread)
    found: dict[int, int] = {}
    for run, threads in by_run.items():
        for some in in_parts(threads):
            front = waiting.filter(thread__in=some, run_index__in=(run, run + 1))
            found.update(front.values_list("pk", "step_id"))
    return found


def _unsettled(afresh: bool) -> Q:
    """A task whose last verdict rests on its own unchanged state need not be looked at."""
    return Q() if afresh else Q(standing=False)


def _conditional(workstream: Workstream, here: int | None, afresh: bool) -> list[_Conditional]:
    """Tasks of the first open batch with a condition: it may be decided before their turn in the thread (AD-8)."""
    if here is None:
        return []
    steps = Step.objects.filter(version=workstream.version_id, batch_index=here, condition__gt="").order_by()
    tasks = Task.objects.filter(_unsettled(afresh), workstream=workstream, open_batch=here).order_by()
    return [
        _Conditional(*row)
        for some in in_parts(list(steps.values_list("pk", flat=True)))
        for row in tasks.filter(step__in=some).values_list("pk", "step_id", "thread_id")
    ]


class _Needed:
    """The tasks that the steps of some tasks name as their needs. `steps` are theirs, by task."""

    def __init__(self, workstream: Workstream, steps: Mapping[int, int]) -> None:
        self._steps = steps
        self._needs: dict[int, set[int]] = defaultdict(set)
        for some in in_parts(sorted(set(steps.values()))):
            pairs = StepNeed.objects.filter(step__in=some).order_by().values_list("step_id", "needed_id")
            for step, needed in pairs:
                self._needs[step].add(needed)
        self._tasks: dict[int, int] = {}
        self._open: set[int] = set()
        for some in in_parts(sorted({one for needs in self._needs.values() for one in needs})):
            tasks = Task.objects.filter(workstream=workstream, step__in=some).order_by()
            for step, task, batch in tasks.values_list("step_id", "pk", "open_batch"):
                self._tasks[step] = task
                if batch is not None:
                    self._open.add(step)

    def any_open(self, task: int) -> bool:
        return not self._open.isdisjoint(self._needs.get(self._steps[task], ()))

    def of(self, tasks: Iterable[int]) -> set[int]:
        steps = {needed for task in tasks for needed in self._needs.get(self._steps[task], ())}
        return {self._tasks[step] for step in steps if step in self._tasks}


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
    tasks = Task.objects.select_related("step__thread__batch__stage", "verdict")
    return [task for some in in_parts(sorted(ids)) for task in tasks.filter(pk__in=some)]
