"""The counters that lifecycle and signals are derived from (LC-1, LC-2), and what the next round has to
look at; and what is kept of a workstream's flow (FR-013)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, F, OuterRef, Q, Subquery

from orchestrator.core.flow.intervals import Interval
from orchestrator.core.flow.keeping import keep, state_of
from orchestrator.core.terms import DONE_TASK, OPEN_TASK, AttemptStatus, TaskStatus
from orchestrator.models import Attempt, StateInterval, Step, Task, Workstream
from orchestrator.services.base.history import tells
from orchestrator.services.base.locks import held_row, hold
from orchestrator.services.base.rows import InsertRows, UpdateChanged, changed_columns
from orchestrator.services.base.unit_of_work import current_unit

OPEN = [status.value for status in sorted(OPEN_TASK)]
DONE = [status.value for status in sorted(DONE_TASK)]
BLOCKED = [TaskStatus.BLOCKED.value]


_SAVE_TASK = UpdateChanged(Task)
_SAVE_WORKSTREAM = UpdateChanged(Workstream)


def settle(task: Task, now: datetime) -> None:
    """Save a changed task of a locked workstream, count its step from one status to another, and let the
    next round look at it. The cost does not grow with the plan."""
    before = task.stored.get("status") or Task.objects.values_list("status", flat=True).get(pk=task.pk)
    task.due, task.standing, task.updated_at = True, False, now
    tells(task, *_SAVE_TASK(task))
    count_moves(task.workstream, [move_of(task, before, task.status)], now)


class TaskMove(NamedTuple):
    """A task went from one status to another; `again` says that a completed result of it once went back."""

    before: str
    after: str
    again: bool


def move_of(task: Task, before: str, after: str) -> TaskMove:
    return TaskMove(before, after, task.rework > 0)


def count_moves(workstream: Workstream, moves: Iterable[TaskMove], now: datetime) -> None:
    """Bring the counters of a locked workstream up to date after tasks went from one status to another."""
    moves = list(moves)
    row = _locked_row(workstream)
    row.open_tasks += _balance(moves, OPEN)
    row.done_tasks += _balance(moves, DONE)
    row.blocked_tasks += _balance(moves, BLOCKED)
    row.reworking += _balance([move for move in moves if move.again], OPEN)
    _touch(row, now)


def count_running(workstream: Workstream, change: int) -> None:
    """So many attempts of a locked workstream more, or fewer, are worked on; an act that settles a task
    follows."""
    _locked_row(workstream).running += change


def count_blockers(workstream: Workstream, change: int) -> None:
    """So many blockers of a locked workstream more, or fewer, are open; as above."""
    _locked_row(workstream).open_blockers += change


def count_back_move(workstream: Workstream, thrown_away: int) -> None:
    """Completed results of a locked workstream went back, if any of them did: one backward move (FR-021)."""
    _locked_row(workstream).back_moves += int(thrown_away > 0)


def next_artifacts(workstream: Workstream, count: int) -> int:
    """Number so many artifacts of a locked workstream, without gaps; the first of the numbers."""
    row = _locked_row(workstream)
    row.last_artifact += count
    save_later(row)
    return row.last_artifact - count + 1


def save_later(workstream: Workstream) -> None:
    """Have a locked workstream written when the act ends, once for all of its parts; nothing else writes its
    row. The act's entry speaks of the columns that it changed (FR-009).

    RuntimeError when another object than the locked one was changed: it would be lost.
    """
    row = _locked_row(workstream)
    if row is not workstream and changed_columns(workstream):
        raise RuntimeError(f"Change the locked object of {workstream}, as the lock hands it out.")
    current_unit().at_the_end(_write, [row])


def touch(workstream: Workstream, now: datetime) -> None:
    """The same for an act that changed something of the workstream itself."""
    _locked_row(workstream).updated_at = now
    save_later(workstream)


def _locked_row(workstream: Workstream) -> Workstream:
    """The object that all parts of an act change, whichever one they hold; a new row is locked by its
    insert."""
    row = held_row(workstream.pk)
    if row is None:
        hold(workstream)
    return row or workstream


def recount(workstream: Workstream, now: datetime) -> None:
    """Count every task of a locked workstream again, put each in its step's place, and have the next round
    judge the whole frontier: what an act ends with that changes many tasks or the plan under them."""
    counts = Task.objects.filter(workstream=workstream).aggregate(
        open=Count("pk", filter=Q(status__in=OPEN)),
        done=Count("pk", filter=Q(status__in=DONE)),
        blocked=Count("pk", filter=Q(status__in=BLOCKED)),
        reworking=Count("pk", filter=Q(status__in=OPEN, rework__gt=0)),
    )
    row = _locked_row(workstream)
    row.reworking = counts["reworking"]
    row.open_tasks, row.done_tasks, row.blocked_tasks = counts["open"], counts["done"], counts["blocked"]
    row.judged_on = ""
    _put_in_place(workstream)
    _touch(row, now)


def judge_afresh(workstream: Workstream) -> None:
    """Have the next round judge the whole frontier of a locked workstream, what was launched too."""
    _locked_row(workstream).judged_on = ""
    Task.objects.filter(workstream=workstream, standing=True).update(standing=False)


def _balance(moves: Iterable[TaskMove], group: list[str]) -> int:
    return sum((move.after in group) - (move.before in group) for move in moves)


def _touch(workstream: Workstream, now: datetime) -> None:
    finished = workstream.done_tasks > 0 and workstream.open_tasks == 0
    workstream.finished_at = (workstream.finished_at or now) if finished else None
    workstream.updated_at = now
    save_later(workstream)


def _write(workstreams: Sequence[Workstream]) -> None:
    """Each workstream's row once, and the intervals of all of them that the act ended (FR-013)."""
    over: list[StateInterval] = []
    for workstream in {row.pk: row for row in workstreams}.values():
        over += interval_rows(workstream, _kept(workstream))
        tells(workstream, *_SAVE_WORKSTREAM(workstream))
    _INSERT_INTERVALS(over)


_INSERT_INTERVALS = InsertRows(StateInterval)


def interval_rows(workstream: Workstream, intervals: Iterable[Interval]) -> list[StateInterval]:
    """Rows of intervals that are over, not saved yet."""
    return [
        StateInterval(workstream=workstream, state=one.state, began_at=one.began, ended_at=one.ended)
        for one in intervals
        if one.ended is not None
    ]


def _kept(workstream: Workstream) -> list[Interval]:
    """Bring the flow up to date; every act that changes what it rests on has said when, in `updated_at`."""
    started, finished = workstream.started_at is not None, workstream.finished_at is not None
    return keep(workstream, state_of(workstream.status, started, finished), workstream.updated_at)


def _put_in_place(workstream: Workstream) -> None:
    """Have each task where its step stands, and judged by the next round."""
    tasks = Task.objects.filter(workstream=workstream, step__version=workstream.version_id)
    misplaced = tasks.exclude(
        batch_index=F("step__batch_index"),
        thread=F("step__thread"),
        run_index=F("step__run_index"),
        position=F("step__position"),
    )
    waiting = Attempt.objects.filter(task__workstream=workstream, status=AttemptStatus.QUEUED)
    waiting.exclude(behind=F("task__step__behind")).update(
        behind=Subquery(Step.objects.filter(tasks=OuterRef("task")).values("behind"))
    )
    step = Step.objects.filter(pk=OuterRef("step"))
    known = Task.objects.filter(workstream=workstream)
    known.filter(Q(pk__in=misplaced.values("pk")) | Q(standing=True)).update(
        standing=False,
        batch_index=Subquery(step.values("batch_index")),
        thread_id=Subquery(step.values("thread")),
        run_index=Subquery(step.values("run_index")),
        position=Subquery(step.values("position")),
    )
