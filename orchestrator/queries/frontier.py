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

from django.db.models import Exists, Min, OuterRef, Q

from orchestrator.core.contention import Claims
from orchestrator.core.schedule import Snapshot, TaskView
from orchestrator.models import Step, StepNeed, Task, Workstream
from orchestrator.queries.contenders import elsewhere, holders_of
from orchestrator.queries.holds import hold_on
from orchestrator.queries.parts import MANY, in_parts
from orchestrator.queries.task_views import Facts, unusable_handovers
from orchestrator.queries.threads import sole_executors


@dataclass(frozen=True, slots=True)
class Round:
    """A partial snapshot, the rows of its judged tasks by key, the ids of the due ones, and what all of it rests on."""

    snapshot: Snapshot
    tasks: dict[str, Task]
    due: frozenset[int]
    ground: str


class _Lane(NamedTuple):
    """The front of a thread: its lowest open run, and the lowest position that is open in it."""

    run: int
    position: int


def load_round(workstream: Workstream, now: datetime, *, afresh: bool = False) -> Round:
    """Read the frontier of a locked workstream; `afresh` looks at all of it, whatever was remembered."""
    hold, unusable = hold_on(workstream, now), unusable_handovers(workstream)
    here = _first_open_batch(workstream)
    ground = _ground(workstream, here, hold, unusable)
    due, conditional = _Due(workstream), _conditional(workstream, here, afresh)
    whole = afresh or ground != workstream.judged_on
    lanes = _lanes(workstream, here, None if whole else due.threads(here, conditional.values()))
    ids = due.open | _near(workstream, here, lanes, afresh) | conditional.keys()
    judged = _rows(ids)
    context = _rows(_context(workstream, here, judged, lanes) | set(unusable) - ids)
    facts = Facts(workstream, [*judged, *context], unusable)
    views = {task.step.key: facts.view(task) for task in judged}
    kept = [task for task in judged if _has_a_say(task, views[task.step.key], here)]
    wanted = [] if hold else [views[t.step.key].claims for t in kept if not views[t.step.key].live]
    snapshot = Snapshot(
        tuple(views[task.step.key] for task in kept),
        hold,
        context=(*map(facts.view, context), *_holders(workstream, wanted, ids | {task.pk for task in context})),
        elsewhere=elsewhere(workstream, wanted),
    )
    return Round(snapshot, {task.step.key: task for task in kept}, frozenset(due.all), ground)


def _first_open_batch(workstream: Workstream) -> int | None:
    tasks = Task.objects.filter(workstream=workstream, open_batch__isnull=False)
    return tasks.order_by("open_batch").values_list("open_batch", flat=True).first()


def _ground(workstream: Workstream, here: int | None, hold: object, unusable: Mapping[int, str]) -> str:
    assigned = sorted(sole_executors(workstream).items())
    rests_on = (workstream.version_id, here, hold, sorted(unusable.items()), assigned)
    return hashlib.sha256(repr(rests_on).encode()).hexdigest()


def _has_a_say(task: Task, view: TaskView, here: int | None) -> bool:
    """A task of a later batch waits for the first open one, unless its own state decides."""
    return task.batch_index == here or view.stands


class _Due:
    """The tasks that acts, or the round before, left for this one."""

    def __init__(self, workstream: Workstream) -> None:
        rows = Task.objects.filter(workstream=workstream, due=True)
        self.workstream = workstream
        self.rows = list(rows.values_list("pk", "step_id", "thread_id", "open_batch", "step__version_id"))
        self.all = {row[0] for row in self.rows}
        self.open = {row[0] for row in self.rows if row[3] is not None and row[4] == workstream.version_id}

    def threads(self, here: int | None, others: Iterable[int]) -> set[int] | None:
        """Threads that a due task stands in or frees, and the others; None when they are too many to name."""
        closed = [step for _, step, _, batch, _ in self.rows if batch is None]
        if len(self.rows) > MANY:
            return None
        freed = Task.objects.filter(workstream=self.workstream, open_batch=here, step__needs__needed__in=closed)
        found = {thread for _, _, thread, _, _ in self.rows}.union(others)
        return found | set(freed.values_list("thread_id", flat=True)) if closed else found


def _lanes(workstream: Workstream, here: int | None, threads: set[int] | None) -> dict[int, _Lane]:
    """The front of these threads in the first open batch, or of all its threads."""
    if here is None:
        return {}
    tasks = Task.objects.filter(workstream=workstream, open_batch=here)
    if threads is not None:
        tasks = tasks.filter(thread__in=threads)
    lowest = tasks.order_by().values("thread_id").annotate(run=Min("run_index"), first=Min("position"))
    return {thread: _Lane(run, first) for thread, run, first in lowest.values_list("thread_id", "run", "first")}


def _near(workstream: Workstream, here: int | None, lanes: Mapping[int, _Lane], afresh: bool) -> set[int]:
    """Ids of waiting tasks in the lowest open run of each thread, or the one behind it, whose needs are complete."""
    open_need = StepNeed.objects.filter(
        step=OuterRef("step"), needed__tasks__workstream=workstream, needed__tasks__open_batch__isnull=False
    )
    waiting = Task.objects.filter(~Exists(open_need), _unsettled(afresh), workstream=workstream, open_batch=here)
    by_run: dict[int, list[int]] = defaultdict(list)
    for thread, lane in lanes.items():
        by_run[lane.run].append(thread)
    found: set[int] = set()
    for run, threads in by_run.items():
        for some in in_parts(threads):
            front = waiting.filter(thread__in=some, run_index__in=(run, run + 1))
            found.update(front.values_list("pk", flat=True))
    return found


def _unsettled(afresh: bool) -> Q:
    """A task whose last verdict rests on its own unchanged state need not be looked at."""
    return Q() if afresh else Q(standing=False)


def _conditional(workstream: Workstream, here: int | None, afresh: bool) -> dict[int, int]:
    """Tasks of the first open batch with a condition, and their threads: it may be decided before their turn in the
    thread (AD-8)."""
    if here is None:
        return {}
    steps = Step.objects.filter(version=workstream.version_id, batch_index=here, condition__gt="")
    tasks = Task.objects.filter(_unsettled(afresh), workstream=workstream, step__in=steps, open_batch=here)
    return dict(tasks.values_list("pk", "thread_id"))


def _context(workstream: Workstream, here: int | None, judged: Sequence[Task], lanes: Mapping[int, _Lane]) -> set[int]:
    """What judged tasks need, and the lowest open task of each thread in which one waits behind another."""
    ids = {task.pk for task in judged}
    found: set[int] = set()
    for some in in_parts([task.step_id for task in judged]):
        needed = Task.objects.filter(workstream=workstream, step__needed_by__step__in=some)
        found.update(needed.values_list("pk", flat=True))
    behind = {t.step.thread_id for t in judged if (lane := lanes.get(t.step.thread_id)) and t.run_index > lane.run}
    for some in in_parts(sorted(behind)):
        positions = {lanes[thread].position for thread in some}
        lowest = Task.objects.filter(
            workstream=workstream, open_batch=here, thread__in=some, position__in=positions
        ).values_list("pk", "thread_id", "position")
        found.update(pk for pk, thread, position in lowest if lanes[thread].position == position)
    return found - ids


def _holders(workstream: Workstream, wanted: Iterable[Claims], known: set[int]) -> tuple[TaskView, ...]:
    rows = _rows(set(holders_of(workstream, wanted)) - known)
    facts = Facts(workstream, rows, {}) if rows else None
    return tuple(facts.view(row) for row in rows) if facts else ()


def _rows(ids: Iterable[int]) -> list[Task]:
    tasks = Task.objects.select_related("step__thread__batch__stage", "verdict")
    return [task for some in in_parts(sorted(ids)) for task in tasks.filter(pk__in=some)]
