"""What happened in a workstream, or in an executor's hands, as stretches of time by lane (FR-002, FR-012).

Attempts with their end, what waited for people, what was blocked; and the rest as it would run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final, TypeVar

from django.db.models import Q, QuerySet

from orchestrator.core.engine.values import TaskView
from orchestrator.core.files.board import lane_label
from orchestrator.core.plans.rehearsing.rehearsal import rehearse
from orchestrator.core.plans.rehearsing.script import script_of_tasks
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Attempt, Blocker, Executor, Intervention, Task
from orchestrator.queries.engine.explanations import Explained

#: Stretches of each kind that are drawn, the latest ones.
MOST: Final = 400
#: How long a step takes that nobody has seen end.
USUAL: Final = timedelta(minutes=30)
GATES: Final = "Gates"
Placed = TypeVar("Placed", Attempt, Intervention, Blocker)


class StretchKind(StrEnum):
    ATTEMPT = "attempt"
    SIGNATURE = "signature"
    QUESTION = "question"
    BLOCKER = "blocker"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Stretch:
    """`until` is None while it lasts; `state` is an attempt's, `note` what was asked, or went wrong."""

    lane: str
    task: Task
    kind: StretchKind
    since: datetime
    until: datetime | None
    state: str = ""
    number: int = 0
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """`lanes` in plan order; `left_out` counts stretches that are older than those shown."""

    lanes: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    left_out: int = 0


def timeline_of(known: Explained, now: datetime) -> Timeline:
    """All of a workstream; what is left is rehearsed with as many executors as it takes."""
    tasks = Task.objects.filter(workstream=known.workstream)
    stretches, left_out = _stretches(tasks, attempts=Attempt.objects.filter(task__in=tasks), lane=lane_of)
    found = (*stretches, *_rest(known, _usual(stretches), now))
    order = {
        lane_of(task): place for place, task in enumerate(sorted(known.loaded.tasks.values(), key=_place))
    }
    lanes = sorted({one.lane for one in found}, key=lambda lane: (lane == GATES, order.get(lane, 0), lane))
    return Timeline(tuple(lanes), found, left_out)


def timeline_of_executor(executor: Executor) -> Timeline:
    """What one executor did, by workstream."""
    mine = Attempt.objects.filter(assignment__executor=executor)
    stretches, left_out = _stretches(
        Task.objects.none(), attempts=mine, lane=lambda task: str(task.workstream)
    )
    return Timeline(tuple(sorted({one.lane for one in stretches})), stretches, left_out)


def lane_of(task: Task) -> str:
    """The lane of a step, as the dashboard calls it; gates stand in none."""
    if task.step.is_gate:
        return GATES
    thread = task.step.thread
    return f"{lane_label(str(thread.batch.stage.number), thread.batch.prefix, thread.lane)} {thread.name}"


def _place(task: Task) -> tuple[int, int, int]:
    thread = task.step.thread
    return thread.batch.stage.position, thread.batch.position, thread.position


def _stretches(
    tasks: QuerySet[Task], *, attempts: QuerySet[Attempt], lane: Callable[[Task], str]
) -> tuple[tuple[Stretch, ...], int]:
    """Three statements, and one for the names of steps."""
    begun = attempts.filter(Q(started_at__isnull=False) | Q(task__step__kind="gate"))
    rows = _with_place(begun).select_related("assignment__executor").order_by("-queued_at", "-pk")
    tried = list(rows[:MOST])
    asked = list(_with_place(Intervention.objects.filter(task__in=tasks)).order_by("-raised_at")[:MOST])
    stopped = list(_with_place(Blocker.objects.filter(task__in=tasks)).order_by("-declared_at")[:MOST])
    found = [
        *(_attempt(row, lane(row.task)) for row in tried),
        *(_question(row, lane(row.task)) for row in asked),
        *(_blocker(row, lane(row.task)) for row in stopped),
    ]
    left_out = begun.count() - MOST if len(tried) == MOST else 0
    return tuple(sorted(found, key=lambda one: one.since)), max(left_out, 0)


def _with_place(rows: QuerySet[Placed]) -> QuerySet[Placed]:
    return rows.select_related("task__workstream", "task__step__thread__batch__stage")


def _attempt(row: Attempt, lane: str) -> Stretch:
    gate = row.task.step.is_gate
    assignment = getattr(row, "assignment", None)
    return Stretch(
        lane,
        row.task,
        StretchKind.SIGNATURE if gate else StretchKind.ATTEMPT,
        row.queued_at if gate else row.started_at or row.queued_at,
        row.ended_at,
        row.status,
        row.number,
        assignment.executor.name if assignment else "",
        row.error if row.status == AttemptStatus.FAILED else "",
    )


def _question(row: Intervention, lane: str) -> Stretch:
    return Stretch(lane, row.task, StretchKind.QUESTION, row.raised_at, row.cleared_at, note=row.note)


def _blocker(row: Blocker, lane: str) -> Stretch:
    return Stretch(lane, row.task, StretchKind.BLOCKER, row.declared_at, row.resolved_at, note=row.note)


def _usual(stretches: Sequence[Stretch]) -> timedelta:
    """How long a completed attempt usually took here; a step of the rest is drawn that long."""
    took = [
        (one.until - one.since).total_seconds()
        for one in stretches
        if one.until and one.kind is StretchKind.ATTEMPT and one.state == AttemptStatus.COMPLETED
    ]
    return max(timedelta(seconds=median(took)), timedelta(minutes=1)) if took else USUAL


def _rest(known: Explained, usual: timedelta, now: datetime) -> Iterator[Stretch]:
    """Steps that nobody has begun, ready ones too, as the scheduler would run them from now on if nothing
    were in the way."""
    views = {view.key: view for view in known.loaded.snapshot.tasks}
    if not any(view.open for view in views.values()):
        return
    free = {key: _free(view) if view.open else view for key, view in views.items()}
    for turn in rehearse(script_of_tasks(free)).turns:
        view = views[turn.key]
        ready = view.live == AttemptStatus.QUEUED and not view.gate
        if view.open and (ready or not view.live):
            task = known.loaded.tasks[turn.key]
            since, until = (now + usual * moment for moment in (turn.started, turn.ended))
            yield Stretch(lane_of(task), task, StretchKind.REST, since, until, "ready" if ready else "")


def _free(view: TaskView) -> TaskView:
    """An open task as if it had not begun and nothing held it."""
    return replace(
        view,
        status=TaskStatus.PENDING,
        live=None,
        executor="",
        assigned="",
        failure="",
        blocker="",
        note="",
        artifact="",
        damaged=False,
        signers=(),
    )
