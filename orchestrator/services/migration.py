"""Putting an approved version into effect: first tasks, or the migration of work in flight (FR-016, EC-4, WF-5)."""

from collections.abc import Iterable
from datetime import datetime

from orchestrator.core.errors import MigrationImpossible
from orchestrator.core.migration import Definition, StepMapping, map_steps
from orchestrator.core.plan import Plan
from orchestrator.core.terms import TaskStatus, VersionStatus, WorkstreamStatus
from orchestrator.models import Attempt, Criterion, Step, Task, WorkflowVersion, Workstream
from orchestrator.services.actor import Actor
from orchestrator.services.history import record
from orchestrator.services.priorities import priority_under
from orchestrator.services.progress import recount
from orchestrator.services.structure import create_structure


def put_into_effect(version: WorkflowVersion, plan: Plan, workstream: Workstream, actor: Actor, now: datetime) -> int:
    """Create the version's structure and bring the locked workstream's tasks in line with it; their number.

    MigrationImpossible when the version loses or redefines a step that was started; nothing is deleted.
    """
    steps = create_structure(version, plan)
    existing = {task.step.key: task for task in _tasks(workstream)}
    if existing:
        _migrate(version, workstream, existing, steps, actor, now)
    else:
        _add_tasks(workstream, steps.values(), now)
    workstream.status = WorkstreamStatus.ACTIVE
    workstream.priority = priority_under(workstream, plan)
    workstream.version = version
    workstream.title, workstream.domain = plan.name[:200], plan.domain[:60]
    workstream.save(update_fields=["status", "version", "title", "domain", "priority"])
    recount(workstream, now)
    return len(steps)


def _migrate(
    version: WorkflowVersion,
    workstream: Workstream,
    existing: dict[str, Task],
    steps: dict[str, Step],
    actor: Actor,
    now: datetime,
) -> None:
    mapping = map_steps(_old_definitions(existing), _definitions(steps.values()))
    if mapping.refused:
        raise MigrationImpossible(
            f"Version {version.number} drops or changes steps that were started: {', '.join(mapping.refused)}.",
            steps=", ".join(mapping.refused),
        )
    for key in mapping.kept:
        existing[key].step = steps[key]
    Task.objects.bulk_update([existing[key] for key in mapping.kept], ["step"])
    dropped = [existing[key].pk for key in mapping.dropped]
    Task.objects.filter(pk__in=dropped).update(status=TaskStatus.CANCELLED, updated_at=now)
    _add_tasks(workstream, [steps[key] for key in mapping.added], now)
    WorkflowVersion.objects.filter(pk=workstream.version_id).update(status=VersionStatus.SUPERSEDED)
    _record(version, workstream, mapping, actor, now)


def _record(
    version: WorkflowVersion, workstream: Workstream, mapping: StepMapping, actor: Actor, now: datetime
) -> None:
    record(
        workstream=workstream,
        actor=actor,
        action="workstream migrated",
        subject=f"version {workstream.version.number} to version {version.number}",
        reason=version.change_reason,
        now=now,
        data={"same": list(mapping.kept), "added": list(mapping.added), "dropped": list(mapping.dropped)},
    )


def _tasks(workstream: Workstream) -> list[Task]:
    current = Task.objects.filter(workstream=workstream, step__version=workstream.version_id)
    return list(current.select_related("step"))


def _add_tasks(workstream: Workstream, steps: Iterable[Step], now: datetime) -> None:
    Task.objects.bulk_create(Task(workstream=workstream, step=step, created_at=now, updated_at=now) for step in steps)


def _old_definitions(existing: dict[str, Task]) -> dict[str, Definition]:
    tried = set(Attempt.objects.filter(task__in=existing.values()).values_list("task_id", flat=True))
    plain = _definitions(task.step for task in existing.values())
    return {
        key: Definition(plain[key].facts, started=task.pk in tried or task.status != TaskStatus.PENDING)
        for key, task in existing.items()
    }


def _definitions(steps: Iterable[Step]) -> dict[str, Definition]:
    steps = list(steps)
    criteria: dict[int, list[str]] = {}
    for criterion in Criterion.objects.filter(step__in=steps).order_by("step_id", "kind", "position"):
        criteria.setdefault(criterion.step_id, []).append(f"{criterion.kind}: {criterion.text}")
    return {
        step.key: Definition((step.title, step.kind, step.gate_kind, step.tool, step.run, *criteria.get(step.pk, [])))
        for step in steps
    }
