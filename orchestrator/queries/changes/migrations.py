"""What a version would do to work in flight, without writing anything (FR-016, EC-4)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator.core.changes.judge import Judgement, definition_of, judge
from orchestrator.core.changes.mapping import Definition, StepMapping
from orchestrator.core.changes.pairing import filled_up
from orchestrator.core.changes.suggestions import suggest
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import MappingKind, VersionStatus, WorkstreamStatus
from orchestrator.models import (
    Attempt,
    BaselineIntegration,
    Criterion,
    Migration,
    Step,
    Task,
    WorkflowVersion,
    Workstream,
)
from orchestrator.queries.engine.snapshot import load_snapshot


def dry_run(
    workstream: Workstream, version: WorkflowVersion, plan: Plan, lines: Iterable[StepMapping] = ()
) -> Judgement:
    """The verdict for every item of the workstream, should it go on under this version with this mapping."""
    return judge(running_side(workstream), new_side(workstream, version, plan), lines)


def in_flight(workstream: Workstream, version: WorkflowVersion, plan: Plan | None) -> Judgement | None:
    """What the version does to the workstream as it stands, to a completed one as if it were re-opened; None
    when it has no tasks, or the version is in force.
    """
    begun = under_way(workstream) or workstream.status == WorkstreamStatus.COMPLETED
    if plan is None or not begun or version.pk == workstream.version_id:
        return None
    return dry_run(workstream, version, plan)


def mistaken_for_new(
    workstream: Workstream, version: WorkflowVersion, plan: Plan | None, judgement: Judgement | None
) -> tuple[StepMapping, ...]:
    """What the suggestion pairs otherwise than the keys do: by the keys alone the work of these steps would
    go, or count for another one.
    """
    if plan is None or judgement is None:
        return ()
    by_key = set(judgement.lines)
    lines = suggest(running_side(workstream), new_side(workstream, version, plan))
    return tuple(
        line
        for line in lines
        if line.old and line.new and line.kind is not MappingKind.SAME and line not in by_key
    )


def with_suggestions(
    workstream: Workstream, version: WorkflowVersion, plan: Plan, lines: Iterable[StepMapping]
) -> tuple[StepMapping, ...]:
    """The mapping, filled up with what the page suggests for the steps that it leaves out."""
    return filled_up(lines, running_side(workstream), new_side(workstream, version, plan))


def under_way(workstream: Workstream) -> bool:
    return workstream.status == WorkstreamStatus.ACTIVE


def running_side(workstream: Workstream) -> list[Definition]:
    """The steps that the workstream goes through now, in launch order, with what came of them."""
    loaded = load_snapshot(workstream)
    begun = Attempt.objects.filter(task__workstream=workstream, started_at__isnull=False)
    tried = set(begun.values_list("task_id", flat=True))
    facts = facts_of([task.step for task in loaded.tasks.values()])
    fixed = BaselineIntegration.objects.filter(workstream=workstream, reverted_at=None).exists()
    return [
        Definition(view, task.step.title, facts[task.step_id], tried=task.pk in tried, integrated=fixed)
        for view in sorted(loaded.snapshot.tasks, key=lambda view: view.order)
        for task in [loaded.tasks[view.key]]
    ]


def new_side(workstream: Workstream, version: WorkflowVersion, plan: Plan) -> list[Definition]:
    """The steps of the version; some may still hold a task that a roll back cancelled."""
    there = Task.objects.filter(workstream=workstream, step__version=version).exclude(
        step__version=workstream.version_id
    )
    occupied = set(there.values_list("step__key", flat=True))
    found = (definition_of(placed) for placed in plan.placed_steps())
    return [Definition(one.view, one.title, one.facts, occupied=one.key in occupied) for one in found]


def last_migration(workstream: Workstream) -> Migration | None:
    """The one that is rolled back next: the latest that neither is a roll back nor was rolled back."""
    found = Migration.objects.filter(workstream=workstream, rolls_back=None, rolled_back_by=None)
    return found.select_related("from_version", "to_version").order_by("-applied_at", "-pk").first()


def workstreams_in_flight(workflow_id: int) -> list[Workstream]:
    """Active workstreams of a workflow, the oldest first, with the version that each follows."""
    found = Workstream.objects.filter(version__workflow=workflow_id, status=WorkstreamStatus.ACTIVE)
    return list(found.select_related("version__workflow", "owner").order_by("pk"))


def versions_in_effect(workflow_id: int, now: datetime) -> list[WorkflowVersion]:
    """Approved versions whose time has come, newest first: what workstreams start on and are migrated to."""
    found = WorkflowVersion.objects.filter(
        workflow=workflow_id, status=VersionStatus.APPROVED, effective_at__lte=now, stages__isnull=False
    )
    return list(found.select_related("workflow").distinct().order_by("-number"))


def facts_of(steps: Sequence[Step]) -> dict[int, tuple[str, ...]]:
    """What each step asks for, by row id, in the same words as `core.migration.definition_of`."""
    criteria: dict[int, list[str]] = {}
    for criterion in Criterion.objects.filter(step__version__in={step.version_id for step in steps}).order_by(
        "step_id", "kind", "position"
    ):
        criteria.setdefault(criterion.step_id, []).append(f"{criterion.kind}: {criterion.text}")
    return {
        step.pk: (step.title, step.kind, step.gate_kind, step.tool, step.run, *criteria.get(step.pk, ()))
        for step in steps
    }
