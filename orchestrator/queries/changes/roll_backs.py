"""What rolling a migration back would do, without writing anything (FR-016)."""

from orchestrator.core.changes.judge import ItemVerdict
from orchestrator.core.changes.roll_back import Passed, roll_back
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import AttemptStatus, MappingKind, TaskStatus
from orchestrator.models import Attempt, MappedStep, Migration, Task, Workstream
from orchestrator.queries.changes.migrations import facts_of
from orchestrator.queries.engine.snapshot import load_snapshot


def ways_back(workstream: Workstream, migration: Migration) -> tuple[ItemVerdict, ...]:
    """A verdict for every item of the workstream's latest migration."""
    loaded = load_snapshot(workstream)
    views = {view.key: view for view in loaded.snapshot.tasks}
    touched = _touched(migration, loaded.tasks)
    rows = list(migration.mapped_steps.select_related("old_step", "new_step").order_by("pk"))
    facts = facts_of([step for row in rows for step in (row.old_step, row.new_step) if step])
    return roll_back(_passed(row, facts, views, touched) for row in rows)


def _passed(
    row: MappedStep, facts: dict[int, tuple[str, ...]], views: dict[str, TaskView], touched: set[str]
) -> Passed:
    old, new = row.old_step, row.new_step
    return Passed(
        old=old.key if old else "",
        new=new.key if new else "",
        kind=MappingKind(row.kind),
        old_status=TaskStatus(row.old_status) if row.old_status else None,
        view=views[new.key] if new else None,
        changed=bool(old and new and facts[old.pk] != facts[new.pk]),
        untouched=new is not None and new.key not in touched,
    )


def _touched(migration: Migration, tasks: dict[str, Task]) -> set[str]:
    """Keys of tasks that changed since the migration by more than being launched."""
    queued = Attempt.objects.filter(task__workstream=migration.workstream_id, status=AttemptStatus.QUEUED)
    since = queued.filter(queued_at__gte=migration.applied_at)
    # A failure that waits for a person is followed by no other attempt: its task stays launched.
    failed = migration.mapped_steps.filter(old_status=TaskStatus.BLOCKED).values("new_step__tasks")
    launched = dict(since.exclude(task__in=failed).values_list("task_id", "queued_at"))
    return {
        key
        for key, task in tasks.items()
        if task.updated_at > migration.applied_at and task.updated_at != launched.get(task.pk)
    }
