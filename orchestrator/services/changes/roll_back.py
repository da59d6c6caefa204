"""Roll back a migration: the workstream goes on under the version before; nothing is deleted (FR-016)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.judge import ItemVerdict
from orchestrator.core.errors import AlreadyDecided, MigrationImpossible, NotFound, Refusal, WrongState
from orchestrator.core.people.roles import APPROVERS
from orchestrator.core.terms import (
    AttemptStatus,
    MappedOutcome,
    MappingKind,
    Scope,
    TaskStatus,
)
from orchestrator.models import Attempt, MappedStep, Migration, Step, Task, Workstream
from orchestrator.queries.changes.migrations import last_migration
from orchestrator.queries.changes.roll_backs import ways_back
from orchestrator.queries.plans.readings import plan_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record, speaks_of, tells_of
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.rows import changed
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.changes.carry_over import (
    Change,
    cancel,
    cancel_queued,
    carry_assignments,
    current_tasks,
    open_migration,
    save_all,
)
from orchestrator.services.changes.migration import follow, why_no_migration


@dataclass(frozen=True, slots=True)
class _Way:
    """The migration that is rolled back, with what becomes of every item of it."""

    rolled_back: Migration
    verdicts: tuple[ItemVerdict, ...]
    steps: Mapping[str, Step]
    went: Mapping[str, Task]


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why the migration is rolled back."),
    locks=(Lock.WORKSTREAM, Lock.NEEDS),
    records=(Action.MIGRATION_ROLLED_BACK,),
)
def roll_back(*, migration_id: int, reason: str, actor: Actor, now: datetime) -> Migration:
    """Roll back the latest migration of an active workstream.

    Tasks that were kept return to their old steps as they stand now; what the migration itself had done again
    and nobody touched stands as before; added tasks are cancelled with their attempts; dropped ones come
    back. WrongState unless it is the latest one; MigrationImpossible while a step that would go or change is
    running.
    """
    with unit_of_work():
        rolled_back, workstream = _latest(migration_id)
        change = Change(workstream, rolled_back.from_version, reason.strip(), actor, now)
        way = _way_back(workstream, rolled_back)
        tasks = current_tasks(workstream)
        migration = open_migration(change, rolls_back=rolled_back)
        _note_items(migration, way, tasks)
        restored, undecided = _return_tasks(way, tasks, now)
        gone = [v.old for v in way.verdicts if v.outcome is MappedOutcome.CANCELLED]
        cancel([tasks[key] for key in gone], now)
        returned = _bring_back(way, now)
        data = {
            "migration": migration.pk,
            "from": workstream.version.number,
            "to": change.version.number,
            "moved": {v.old: v.new for v in way.verdicts if v.old and v.new},
            "dropped": gone,
            "returned": returned,
            "restored": restored,
            "undecided": undecided,
            "assignments": carry_assignments(change),
        }
        follow(workstream, change.version, plan_of(change.version), actor, now)
        _record(change, rolled_back, data)
        wake(workstream.pk)
    return migration


def why_not_roll_back(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not roll a migration of the workstream back; what its steps say is another matter
    (`queries.changes.roll_backs`)."""
    return why_no_migration(workstream) or roll_back.why_not(actor)


def _latest(migration_id: int) -> tuple[Migration, Workstream]:
    workstream_id = Migration.objects.filter(pk=migration_id).values_list("workstream_id", flat=True).first()
    if workstream_id is None:
        raise NotFound("There is no such migration.")
    workstream = locked_workstream(workstream_id)
    if refusal := why_no_migration(workstream):
        raise refusal
    rolled_back = Migration.objects.select_related("from_version__workflow", "to_version").get(
        pk=migration_id
    )
    latest = last_migration(workstream)
    if latest is None or latest.pk != rolled_back.pk or rolled_back.to_version_id != workstream.version_id:
        if first := Migration.objects.filter(rolls_back=rolled_back).first():
            raise AlreadyDecided(
                f"The migration was rolled back already, by {first.applied_by}: {first.reason}",
                at=first.applied_at.isoformat(),
            )
        raise WrongState(
            "Only the latest migration that stands can be rolled back.",
            recovery="Roll back the later ones first, the latest one before the others.",
        )
    return rolled_back, workstream


def _way_back(workstream: Workstream, rolled_back: Migration) -> _Way:
    verdicts = ways_back(workstream, rolled_back)
    if refused := [v for v in verdicts if v.refused]:
        said = "; ".join(f"{v.old}: {v.sentence}" for v in refused)
        raise MigrationImpossible(
            f"The migration cannot be rolled back now. {said}.",
            recovery="Settle what stands in the way, then roll back.",
            steps=", ".join(v.old for v in refused),
        )
    steps = {step.key: step for step in Step.objects.filter(version=rolled_back.from_version)}
    went = Task.objects.filter(workstream=workstream, step__version=rolled_back.from_version).select_related(
        "step"
    )
    return _Way(rolled_back, verdicts, steps, {task.step.key: task for task in went})


def _return_tasks(way: _Way, tasks: Mapping[str, Task], now: datetime) -> tuple[dict[str, str], list[str]]:
    """Point the tasks to their old steps.

    The statuses that change with it, and whose failure waits again, by key.
    """
    kept = [v for v in way.verdicts if v.old and v.new]
    restored = [v for v in kept if v.status != tasks[v.old].status]
    cancel_queued([tasks[v.old].pk for v in restored], now)
    reopened = _reopen_failures(way, [tasks[v.old] for v in restored if v.status is TaskStatus.BLOCKED])
    for verdict in restored:
        task = tasks[verdict.old]
        task.rework -= verdict.status is TaskStatus.COMPLETE
        task.status, task.updated_at = verdict.status, now
    for verdict in kept:
        tasks[verdict.old].step = way.steps[verdict.new]
    save_all(tasks[v.old] for v in kept)
    undecided = [v.new for v in restored if tasks[v.old].pk in reopened]
    return {v.new: v.status.value for v in restored}, undecided


def _reopen_failures(way: _Way, tasks: Sequence[Task]) -> set[int]:
    """A failure that only the migration followed up waits for a person again; the tasks whose did."""
    failed = Attempt.objects.filter(task__in=tasks, status=AttemptStatus.FAILED)
    followed_up = failed.filter(followed_up_at=way.rolled_back.applied_at)
    reopened = set(followed_up.values_list("task_id", flat=True))
    tells_of(Attempt, changed(followed_up, followed_up_at=None), followed_up_at=None)
    return reopened


def _bring_back(way: _Way, now: datetime) -> dict[str, str]:
    """Dropped tasks come back with the status they had; the statuses by key."""
    back = {v.new: v.status for v in way.verdicts if not v.old and v.new}
    for key, status in back.items():
        task = way.went[key]
        task.status, task.updated_at = status, now
    save_all(way.went[key] for key in back)
    return {key: status.value for key, status in back.items()}


def _note_items(migration: Migration, way: _Way, tasks: Mapping[str, Task]) -> None:
    rows = (
        MappedStep(
            migration=migration,
            kind=_kind(verdict),
            outcome=verdict.outcome,
            old_step=tasks[verdict.old].step if verdict.old else None,
            new_step=way.steps[verdict.new] if verdict.new else None,
            old_status=tasks[verdict.old].status if verdict.old else "",
            reason=verdict.sentence,
        )
        for verdict in way.verdicts
    )
    speaks_of(*MappedStep.objects.bulk_create(rows))


def _kind(verdict: ItemVerdict) -> MappingKind:
    if not verdict.old:
        return MappingKind.ADDED
    if not verdict.new:
        return MappingKind.DROPPED
    return MappingKind.SAME if verdict.old == verdict.new else MappingKind.RENAMED


def _record(change: Change, rolled_back: Migration, data: Mapping[str, object]) -> None:
    record(
        workstream=change.workstream,
        actor=change.actor,
        action=Action.MIGRATION_ROLLED_BACK,
        subject=f"version {rolled_back.to_version.number} to version {rolled_back.from_version.number}",
        reason=change.reason,
        now=change.now,
        data=data,
    )
