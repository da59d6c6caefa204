"""What a round looks at: the open frontier, found by index in one statement, so that its cost does not grow
with the plan (FR-005).

While nothing changed beneath all verdicts (the first open batch, what holds the workstream, files that cannot
be used, who alone may claim), a round judges the tasks that acts marked as due, those of their threads whose
turn has come or comes next, and those that needed them. Otherwise it judges the whole front of the first open
batch.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from orchestrator.core.engine.contention import Claims
from orchestrator.core.engine.values import Snapshot, TaskView
from orchestrator.models import Batch, RecordedVerdict, Stage, Step, Task, Thread, Workstream
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.base.sql import Found, Joined, Table, link
from orchestrator.queries.engine.contenders import elsewhere, holders_of
from orchestrator.queries.engine.facts import LAUNCHES, Facts, FactScope, facts_of
from orchestrator.queries.engine.ground import Ground
from orchestrator.queries.engine.task_views import Views
from orchestrator.queries.engine.threads import ThreadPlace


@dataclass(frozen=True, slots=True)
class Round:
    """A partial snapshot, the rows of its judged tasks by key, the ids of the due ones, what all of it rests
    on, with a digest, and what the rows say of the tasks."""

    snapshot: Snapshot
    tasks: dict[str, Task]
    due: frozenset[int]
    ground: Ground
    facts: Facts
    rests_on: str


class _FrontRows(NamedTuple):
    """The tasks of the frontier: those to judge, those that they need or wait behind, and the ids of the due
    ones, open or not."""

    judged: list[Task]
    context: list[Task]
    due: frozenset[int]


def load_round(workstream: Workstream, ground: Ground, *, afresh: bool = False) -> Round:
    """Read the frontier of a locked workstream; `afresh` looks at all of it, whatever was remembered."""
    rests_on = _digest(workstream, ground)
    whole = afresh or rests_on != workstream.judged_on
    front = _front(workstream, ground, whole=whole, afresh=afresh)
    judged, known = front.judged, {task.pk for task in (*front.judged, *front.context)}
    context = [*front.context, *_rows(ground.unusable.keys() - known)]
    assigned = ground.assigned
    facts = facts_of(FactScope.of([*judged, *context], workstream), LAUNCHES)
    each = Views(workstream, [*judged, *context], ground.unusable, assigned, facts)
    views = {task.step.key: each.of(task) for task in judged}
    kept = [task for task in judged if _has_a_say(task, views[task.step.key], ground.here)]
    wanted = [] if ground.hold else [views[t.step.key].claims for t in kept if not views[t.step.key].live]
    holders = _holders(workstream, wanted, {task.pk for task in (*judged, *context)}, assigned)
    snapshot = Snapshot(
        tuple(views[task.step.key] for task in kept),
        ground.hold,
        context=(*map(each.of, context), *holders),
        elsewhere=elsewhere(workstream, wanted),
    )
    return Round(snapshot, {task.step.key: task for task in kept}, front.due, ground, facts, rests_on)


def _digest(workstream: Workstream, ground: Ground) -> str:
    unusable, assigned = sorted(ground.unusable.items()), sorted(ground.assigned.items())
    rests_on = (workstream.version_id, ground.here, ground.hold, unusable, assigned)
    return hashlib.sha256(repr(rests_on).encode()).hexdigest()


def _has_a_say(task: Task, view: TaskView, here: int | None) -> bool:
    """A task of a later batch waits for the first open one, unless its own state decides."""
    return task.batch_index == here or view.stands


def _front(workstream: Workstream, ground: Ground, *, whole: bool, afresh: bool) -> _FrontRows:
    statement = _statement(whole, afresh, ground.conditional)
    found = statement.rows(*_parameters(workstream, ground))
    tasks = [(_placed(row), row["marks"]) for row in found]
    judged = [task for task, marks in tasks if marks & JUDGED]
    behind = _threads_behind(judged, [task for task, marks in tasks if marks & FIRST])
    others = [(task, marks) for task, marks in tasks if not marks & JUDGED]
    context = [
        task for task, marks in others if marks & NEEDED or (marks & FIRST and task.step.thread_id in behind)
    ]
    return _FrontRows(judged, context, frozenset(task.pk for task, marks in tasks if marks & DUE))


def _threads_behind(judged: Sequence[Task], first: Sequence[Task]) -> set[int]:
    """Threads in which a judged task waits behind the lowest open one."""
    runs = {task.step.thread_id: task.run_index for task in first}
    return {t.step.thread_id for t in judged if t.run_index > runs.get(t.step.thread_id, t.run_index)}


def _placed(row: Found) -> Task:
    task: Task = row["task"]
    link(row["batch"], "stage", row["stage"])
    link(row["thread"], "batch", row["batch"])
    link(row["step"], "thread", row["thread"])
    link(task, "step", row["step"])
    link(task, "verdict", row["verdict"])
    return task


#: Why a task is read; their sum says all the reasons.
JUDGED, DUE, FIRST, NEEDED = 1, 2, 4, 8

_DUE = """SELECT id, step_id, thread_id, open_batch FROM orchestrator_task WHERE workstream_id = %s AND due"""
#: Threads that a due task stands in or frees. Here and below `CROSS JOIN` has SQLite begin with the few tasks
#: that changed; left to itself it begins with the whole plan.
_TOUCHED: Final = """SELECT thread_id FROM due UNION
SELECT freed.thread_id FROM due closed
CROSS JOIN orchestrator_stepneed need CROSS JOIN orchestrator_task freed
WHERE closed.open_batch IS NULL AND need.needed_id = closed.step_id
  AND freed.step_id = need.step_id AND freed.workstream_id = %s AND freed.open_batch = %s"""
_TOUCHED_BY_CONDITION: Final = "SELECT thread_id FROM conditional"
_ALL_THREADS: Final = """SELECT DISTINCT thread_id FROM orchestrator_task
WHERE workstream_id = %s AND open_batch = %s"""
#: Tasks of the first open batch with a condition: it may be decided before their turn in the thread (AD-8).
_CONDITIONAL: Final = """SELECT task.id, task.step_id, task.thread_id FROM orchestrator_step step
JOIN orchestrator_task task ON task.step_id = step.id AND task.workstream_id = %s
WHERE step.version_id = %s AND step.batch_index = %s AND step.condition > ''
  AND task.open_batch = step.batch_index"""
_LANE: Final = """SELECT touched.thread_id AS thread_id, (
  SELECT MIN(lowest.run_index) FROM orchestrator_task lowest WHERE lowest.workstream_id = %s
  AND lowest.open_batch = %s AND lowest.thread_id = touched.thread_id) AS run FROM touched"""
#: The tasks in the lowest open run of each thread and the one behind it that need nothing open.
_WAITING: Final = """SELECT task.id AS id, task.step_id AS step_id FROM lane CROSS JOIN orchestrator_task task
WHERE task.workstream_id = %s AND task.open_batch = %s
  AND task.thread_id = lane.thread_id AND task.run_index BETWEEN lane.run AND lane.run + 1
  AND NOT EXISTS (SELECT 1 FROM orchestrator_stepneed need CROSS JOIN orchestrator_task needed
  WHERE need.step_id = task.step_id AND needed.step_id = need.needed_id
  AND needed.workstream_id = task.workstream_id AND needed.open_batch IS NOT NULL)"""
_JUDGED: Final = """SELECT due.id AS id, due.step_id AS step_id FROM due
JOIN orchestrator_step step ON step.id = due.step_id AND step.version_id = %s
WHERE due.open_batch IS NOT NULL
UNION SELECT id, step_id FROM waiting"""
_MARKED: Final = f"""SELECT id, {JUDGED} AS mark FROM judged
UNION ALL SELECT id, {DUE} FROM due
UNION ALL SELECT (SELECT first.id FROM orchestrator_task first WHERE first.workstream_id = %s
  AND first.open_batch = %s AND first.thread_id = lane.thread_id
  ORDER BY first.run_index, first.position LIMIT 1), {FIRST} FROM lane
UNION ALL SELECT needed.id, {NEEDED} FROM judged
CROSS JOIN orchestrator_stepneed need CROSS JOIN orchestrator_task needed
WHERE need.step_id = judged.step_id AND needed.step_id = need.needed_id AND needed.workstream_id = %s"""
_PLACES: Final = """JOIN orchestrator_task task ON task.id = front.id
JOIN orchestrator_step step ON step.id = task.step_id
JOIN orchestrator_thread thread ON thread.id = step.thread_id
JOIN orchestrator_batch batch ON batch.id = thread.batch_id
JOIN orchestrator_stage stage ON stage.id = batch.stage_id
LEFT JOIN orchestrator_recordedverdict verdict ON verdict.id = task.verdict_id"""
_TABLES: Final = {
    "task": Table(Task),
    "step": Table(Step),
    "thread": Table(Thread),
    "batch": Table(Batch),
    "stage": Table(Stage),
    "verdict": Table(RecordedVerdict),
}


@cache
def _statement(whole: bool, afresh: bool, conditional: bool) -> Joined:
    """`conditional` says whether a step of the first open batch has a condition. What rests on its own state,
    which has not changed, need not be looked at, unless all is looked at `afresh`."""
    unsettled = "" if afresh else " AND NOT task.standing"
    touched, judged = _ALL_THREADS if whole else _TOUCHED, _JUDGED
    if conditional:
        touched = touched if whole else f"{touched} UNION {_TOUCHED_BY_CONDITION}"
        judged = f"{judged} UNION SELECT id, step_id FROM conditional"
    parts = {
        "due": _DUE,
        **({"conditional": f"{_CONDITIONAL}{unsettled}"} if conditional else {}),
        "touched": touched,
        "lane": _LANE,
        "waiting": f"{_WAITING}{unsettled}",
        "judged": judged,
        "marked": _MARKED,
    }
    with_parts = ", ".join(f"{name} AS ({sql})" for name, sql in parts.items())
    source = f"""(WITH {with_parts} SELECT id, SUM(DISTINCT mark) AS marks FROM marked
WHERE id IS NOT NULL GROUP BY id) front {_PLACES} ORDER BY task.id"""
    return Joined(_TABLES, source, {"marks": "front.marks"})


def _parameters(workstream: Workstream, ground: Ground) -> list[int | None]:
    pk, version = workstream.pk, workstream.version_id
    place = [pk, ground.here]
    asked = [pk, version, ground.here] if ground.conditional else []
    # due, conditional, touched, lane, waiting, judged, marked
    return [pk, *asked, *place, *place, *place, version, *place, pk]


def _holders(
    workstream: Workstream, wanted: Iterable[Claims], known: set[int], assigned: Mapping[ThreadPlace, str]
) -> tuple[TaskView, ...]:
    rows = _rows(set(holders_of(workstream, wanted)) - known)
    if not rows:
        return ()
    each = Views(workstream, rows, {}, assigned, facts_of(FactScope.of(rows, workstream)))
    return tuple(each.of(row) for row in rows)


def _rows(ids: Iterable[int]) -> list[Task]:
    return [task for some in in_parts(sorted(ids)) for task in _with_places(some)]


def _with_places(ids: Sequence[int]) -> list[Task]:
    return list(Task.objects.filter(pk__in=ids).select_related("step__thread__batch__stage", "verdict"))
