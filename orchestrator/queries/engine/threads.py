"""Which executor works in a thread (WF-4): assigned, so that it alone claims there, or preferred, so that it
is first.

An assignment belongs to a place in the plan, so it stays in force when a new version brings rows of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q

from orchestrator.contract.ownership import ThreadFacts
from orchestrator.core.terms import OPEN_TASK, AssignmentMode, StepKind
from orchestrator.models import Assignment, Executor, Task, Thread, ThreadAssignment, Workstream
from orchestrator.queries.base.order import thread_order


class ThreadPlace(NamedTuple):
    """The same thread in every version: its stage's position, its batch, and itself."""

    stage: int
    batch: str
    lane: str
    slug: str


def place_of(thread: Thread) -> ThreadPlace:
    return ThreadPlace(thread.batch.stage.position, thread.batch.slug, thread.lane, thread.slug)


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread with work left in it, and the assignment in force there."""

    thread: Thread
    assignment: ThreadAssignment | None


def assignments_in_force(workstream: Workstream) -> dict[ThreadPlace, ThreadAssignment]:
    return {place_of(row.thread): row for row in _in_force(workstream.pk)}


def _in_force(workstream: int) -> list[ThreadAssignment]:
    rows = ThreadAssignment.objects.filter(workstream=workstream, ended_at=None)
    return list(rows.select_related("executor__user", "thread__batch__stage"))


def sole_executors(workstream: Workstream) -> dict[ThreadPlace, str]:
    """Who alone claims in a thread, with account and kind."""
    found = assignments_in_force(workstream).items()
    return {place: row.executor.label for place, row in found if row.mode == AssignmentMode.ASSIGNED}


def sole_executor(workstream: Workstream, thread: Thread) -> Executor | None:
    """The executor that alone claims in this thread, if there is one."""
    row = assignments_in_force(workstream).get(place_of(thread))
    return row.executor if row and row.mode == AssignmentMode.ASSIGNED else None


def open_threads(workstream: Workstream) -> list[ThreadRow]:
    """Threads of the version in effect in which executors have work left, in plan order."""
    tasks = Task.objects.filter(workstream=workstream, status__in=OPEN_TASK, step__kind=StepKind.WORK)
    rows = Thread.objects.filter(
        batch__stage__version=workstream.version_id, steps__tasks__in=tasks
    ).distinct()
    assigned = assignments_in_force(workstream)
    ordered = rows.select_related("batch__stage").order_by(*thread_order(""))
    return [ThreadRow(thread, assigned.get(place_of(thread))) for thread in ordered]


def open_threads_as_read(
    tasks: Iterable[Task], assigned: Mapping[ThreadPlace, ThreadAssignment]
) -> list[ThreadRow]:
    """The same from tasks that come with their threads, and the assignments in force; no query."""
    left = [task.step.thread for task in tasks if task.status in OPEN_TASK and not task.step.is_gate]
    threads = {thread.pk: thread for thread in left}
    ordered = sorted(
        threads.values(), key=lambda one: (one.batch.stage.position, one.batch.position, one.position)
    )
    return [ThreadRow(thread, assigned.get(place_of(thread))) for thread in ordered]


def thread_facts(workstream: Workstream) -> tuple[ThreadFacts, ...]:
    return tuple(_facts(row) for row in open_threads(workstream))


def kept_for_others(mine: Q, task: str = "") -> Exists:
    """Rows whose thread is kept for an executor other than `mine`: assigned to it, or preferred while it runs
    nothing.

    `mine` is a condition on the assignment; `task` is the way from the row to its task, with its underscores.
    """
    busy = Assignment.objects.filter(executor=OuterRef("executor"), released_at=None)
    kept = ThreadAssignment.objects.filter(
        Q(mode=AssignmentMode.ASSIGNED) | ~Exists(busy),
        ended_at=None,
        workstream=OuterRef(f"{task}workstream"),
        thread__lane=OuterRef(f"{task}step__thread__lane"),
        thread__slug=OuterRef(f"{task}step__thread__slug"),
        thread__batch__slug=OuterRef(f"{task}step__thread__batch__slug"),
        thread__batch__stage__position=OuterRef(f"{task}step__thread__batch__stage__position"),
    )
    return Exists(kept.exclude(mine))


def _facts(row: ThreadRow) -> ThreadFacts:
    thread, one = row.thread, row.assignment
    return ThreadFacts(
        id=thread.pk,
        stage=str(thread.batch.stage),
        batch=str(thread.batch),
        thread=str(thread),
        executor=one.executor.name if one else "",
        account=one.executor.user.get_username() if one else "",
        kind=one.executor.kind if one else "",
        mode=one.mode if one else "",
        reason=one.reason if one else "",
        assigned_by=one.assigned_by if one else "",
        assigned_at=one.assigned_at if one else None,
    )
