"""The rows of a migration: tasks pass from the steps of one version to those of another (FR-016, EC-4)."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.core.changes.judge import ItemVerdict, Judgement
from orchestrator.core.terms import AttemptStatus, EventType, MappedOutcome, MappingKind, TaskStatus
from orchestrator.models import (
    Attempt,
    MappedStep,
    Migration,
    Step,
    Task,
    Thread,
    ThreadAssignment,
    WorkflowVersion,
    Workstream,
)
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.history import speaks_of, tells_of
from orchestrator.services.base.progress import count_back_move
from orchestrator.services.base.rows import changed
from orchestrator.services.handoff.artifacts import announce

#: Where a thread stands, by the names that stay when a plan grows.
LANE = ("batch__stage__slug", "batch__slug", "slug")


@dataclass(frozen=True, slots=True)
class Change:
    """A locked workstream goes on under another version."""

    workstream: Workstream
    version: WorkflowVersion
    reason: str
    actor: Actor
    now: datetime


def carry_over(
    change: Change, steps: Mapping[str, Step], judgement: Judgement
) -> tuple[Migration, dict[str, Any]]:
    """Write what a dry run without refusals said; the migration's row and the data of its history entry.

    Nothing is deleted: what goes keeps its old step and its attempts, and what a roll back cancelled comes
    back.
    """
    tasks = current_tasks(change.workstream)
    migration = open_migration(change)
    rows = [_mapped(migration, verdict, tasks, steps) for verdict in judgement.verdicts]
    speaks_of(*MappedStep.objects.bulk_create(rows))
    moved = {v.old: v.new for v in judgement.verdicts if v.old and v.new}
    _move(change, [v for v in judgement.verdicts if v.old and v.new], tasks, steps)
    cancel([tasks[key] for key in judgement.dropped], change.now)
    returned = add_tasks(change, [steps[key] for key in judgement.added])
    assignments = carry_assignments(change)
    data: dict[str, Any] = {
        "migration": migration.pk,
        "from": change.workstream.version.number,
        "to": change.version.number,
        "mapping": [line.as_data() for line in judgement.lines if line.kind is not MappingKind.SAME],
        "moved": moved,
        "added": [key for key in judgement.added if key not in returned],
        "returned": dict.fromkeys(returned, TaskStatus.PENDING.value),
        "dropped": list(judgement.dropped),
        "again": {v.new: v.status.value for v in judgement.verdicts if v.outcome is MappedOutcome.AGAIN},
        "assignments": assignments,
    }
    return migration, data


def current_tasks(workstream: Workstream) -> dict[str, Task]:
    """The tasks of the version that the workstream follows, by step key."""
    current = Task.objects.filter(workstream=workstream, step__version=workstream.version_id)
    return {task.step.key: task for task in current.select_related("step")}


def open_migration(change: Change, rolls_back: Migration | None = None) -> Migration:
    return Migration.objects.create(
        workstream=change.workstream,
        from_version=change.workstream.version,
        to_version=change.version,
        reason=change.reason,
        applied_by=change.actor.label,
        applied_at=change.now,
        rolls_back=rolls_back,
    )


def cancel(tasks: Sequence[Task], now: datetime) -> None:
    """Take tasks out of the work.

    They and their queued attempts are cancelled, everything else stays on record.
    """
    ids = [task.pk for task in tasks]
    cancel_queued(ids, now)
    Task.objects.filter(pk__in=ids).update(status=TaskStatus.CANCELLED, updated_at=now)


def cancel_queued(task_ids: Iterable[int], now: datetime) -> None:
    queued = Attempt.objects.filter(task__in=list(task_ids), status=AttemptStatus.QUEUED)
    tells_of(Attempt, changed(queued, status=AttemptStatus.CANCELLED, ended_at=now), ended_at=now)


def add_tasks(change: Change, steps: Sequence[Step]) -> list[str]:
    """A pending task for each step; a cancelled one that stands there comes back instead. Keys of those."""
    there = Task.objects.filter(workstream=change.workstream, step__in=steps)
    returned = dict(there.values_list("step_id", "step__key"))
    there.update(status=TaskStatus.PENDING, updated_at=change.now)
    tasks = [Task.of(step, change.workstream, change.now) for step in steps if step.pk not in returned]
    speaks_of(*Task.objects.bulk_create(tasks))
    return [returned[step.pk] for step in steps if step.pk in returned]


def carry_assignments(change: Change) -> dict[str, bool]:
    """Executors of threads pass to the thread with the same stage, batch and name (WF-4).

    False where there is none.
    """
    threads = Thread.objects.filter(batch__stage__version=change.version)
    places = {tuple(place): pk for pk, *place in threads.values_list("pk", *LANE)}
    open_ones = ThreadAssignment.objects.filter(workstream=change.workstream, ended_at=None)
    carried: dict[str, bool] = {}
    for row in open_ones.select_related("thread__batch__stage", "executor"):
        thread = row.thread
        place = (thread.batch.stage.slug, thread.batch.slug, thread.slug)
        row.ended_at = change.now
        row.save(update_fields=["ended_at"])
        carried["/".join(place)] = place in places
        if place in places:
            row = copy(row)
            row.pk, row.thread_id, row.ended_at = None, places[place], None
            row.save(force_insert=True)
    return carried


def _move(
    change: Change, verdicts: Sequence[ItemVerdict], tasks: Mapping[str, Task], steps: Mapping[str, Step]
) -> None:
    again = [v for v in verdicts if v.outcome is MappedOutcome.AGAIN]
    _end_tries([tasks[v.old] for v in again], change.now)
    thrown_away = sum(tasks[v.old].status == TaskStatus.COMPLETE for v in again)
    count_back_move(change.workstream, thrown_away)
    for verdict in again:
        task = tasks[verdict.old]
        task.rework += task.status == TaskStatus.COMPLETE
        task.status, task.updated_at = verdict.status, change.now
    for verdict in verdicts:
        tasks[verdict.old].step = steps[verdict.new]
    save_all(tasks[v.old] for v in verdicts)
    for verdict in again:
        _announce_again(change, tasks[verdict.old], verdict)


def save_all(tasks: Iterable[Task]) -> None:
    """The columns that a migration or a roll back may have changed."""
    Task.objects.bulk_update(list(tasks), ["step", "status", "rework", "updated_at"], batch_size=500)


def _end_tries(tasks: Sequence[Task], now: datetime) -> None:
    """Queued attempts are cancelled, failures count as followed up."""
    ids = [task.pk for task in tasks]
    cancel_queued(ids, now)
    failed = Attempt.objects.filter(task__in=ids, status=AttemptStatus.FAILED, followed_up_at=None)
    tells_of(Attempt, changed(failed, followed_up_at=now), followed_up_at=now)


def _announce_again(change: Change, task: Task, verdict: ItemVerdict) -> None:
    last = task.attempts.filter(status=AttemptStatus.COMPLETED).order_by("-number").first()
    if last is None:
        return
    task.workstream = change.workstream
    last.task = task
    announce(
        attempt=last,
        event=EventType.REWORK_REQUESTED,
        actor=change.actor,
        outcome=f"Version {change.version.number}: {verdict.new} {verdict.sentence}.",
        next_action=f"Do {verdict.new} again.",
        now=change.now,
    )


def _mapped(
    migration: Migration, verdict: ItemVerdict, tasks: Mapping[str, Task], steps: Mapping[str, Step]
) -> MappedStep:
    old = tasks.get(verdict.old)
    return MappedStep(
        migration=migration,
        kind=verdict.kind,
        outcome=verdict.outcome,
        old_step=old.step if old else None,
        new_step=steps.get(verdict.new),
        old_status=old.status if old else "",
        reason=verdict.reason or verdict.sentence,
    )
