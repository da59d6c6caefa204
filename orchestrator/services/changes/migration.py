"""Versions in flight: first tasks, and the migration of work under way to another version.

Requirements: FR-016, EC-4, WF-5.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.judge import Judgement
from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.errors import (
    InvalidInput,
    MigrationImpossible,
    NotFound,
    Refusal,
    WrongState,
)
from orchestrator.core.people.roles import APPROVERS
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import Scope, VersionStatus, WorkstreamStatus
from orchestrator.models import Migration, Step, Task, WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import dry_run, under_way, with_suggestions
from orchestrator.queries.plans.readings import plan_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.decided import by_whom
from orchestrator.services.base.history import record, speaks_of
from orchestrator.services.base.locks import Lock, lock_needs, locked_workstream, outside_transactions
from orchestrator.services.base.progress import recount, save_later
from orchestrator.services.base.steps import once
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.changes.carry_over import Change, carry_over
from orchestrator.services.plans.structure import create_structure
from orchestrator.services.plans.versions import supersede
from orchestrator.services.workstreams.budgets import follow_budget
from orchestrator.services.workstreams.needs import relate_needs
from orchestrator.services.workstreams.priorities import priority_under


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of one workstream when several were to be migrated: the migration, or why not."""

    workstream: Workstream
    migration: Migration | None = None
    refusal: Refusal | None = None


def put_into_effect(
    version: WorkflowVersion,
    plan: Plan,
    workstream: Workstream,
    actor: Actor,
    now: datetime,
    mapping: Iterable[StepMapping] = (),
) -> int:
    """Create the version's structure and bring the locked workstream's tasks in line with it; their number.

    Steps that the mapping leaves out stay under their key, are dropped or are added. MigrationImpossible
    names every step that it does not settle; nothing is deleted.
    """
    steps = create_structure(version, plan)
    _take_over(version, workstream)
    if Task.objects.filter(workstream=workstream, step__version=workstream.version_id).exists():
        change = Change(workstream, version, version.change_reason, actor, now)
        _migrate(change, dry_run(workstream, version, plan, mapping), steps)
    else:
        own = [Task.of(step, workstream, now) for step in steps.values()]
        speaks_of(*Task.objects.bulk_create(own))
    follow(workstream, version, plan, actor, now)
    return len(steps)


def first_tasks(workstream: Workstream) -> list[str]:
    """The keys of the tasks that a workstream begins with, in the order they were created."""
    return list(workstream.tasks.order_by("pk").values_list("step__key", flat=True))


def _take_over(version: WorkflowVersion, workstream: Workstream) -> None:
    """Older versions approved for this workstream whose time has not come never come into effect."""
    waiting = WorkflowVersion.objects.filter(
        workstream=workstream, status=VersionStatus.APPROVED, stages=None
    )
    older = waiting.filter(number__lt=version.number).values_list("pk", flat=True)
    supersede(list(older))


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why the workstream goes on under another version."),
    locks=(Lock.WORKSTREAM, Lock.NEEDS),
    records=(Action.WORKSTREAM_MIGRATED,),
)
def migrate_workstream(
    *,
    workstream_id: int,
    version_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    mapping: Iterable[StepMapping] = (),
) -> Migration:
    """Bring one active workstream to an approved version of its workflow.

    WrongState when it follows that version already, or the version is not in force; MigrationImpossible as
    above.
    """
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        version = _approved(workstream, version_id, now)
        plan = plan_of(version)
        rows = Step.objects.filter(version=version)
        steps = {step.key: step for step in rows} or create_structure(version, plan)
        change = Change(workstream, version, reason.strip(), actor, now)
        migration = _migrate(change, dry_run(workstream, version, plan, mapping), steps)
        follow(workstream, version, plan, actor, now)
        wake(workstream.pk)
    return migration


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why the workstreams go on under another version."),
    locks=(Lock.WORKSTREAM, Lock.NEEDS),
    records=(Action.WORKSTREAM_MIGRATED,),
    in_steps=True,
)
def migrate_several(
    *,
    workstreams: Sequence[Workstream],
    version_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    mapping: Iterable[StepMapping] = (),
    suggested: bool = False,
) -> list[Migrated]:
    """Each workstream in a transaction of its own, with the same mapping; one that is refused holds up no
    other.

    With `suggested`, steps that the mapping leaves out are paired as the page suggests for each. Under an
    idempotency key each is migrated once.
    """
    if not workstreams:
        raise InvalidInput(
            "No workstream is chosen.", recovery="Choose at least one workstream.", field="workstreams"
        )
    outside_transactions()
    lines = tuple(mapping)

    version = WorkflowVersion.objects.get(pk=version_id) if suggested else None

    def mapped(one: Workstream) -> tuple[StepMapping, ...]:
        return (
            with_suggestions(one, version, plan_of(version), lines) if version and under_way(one) else lines
        )

    def migrated(one: Workstream) -> int:
        return migrate_workstream(
            workstream_id=one.pk,
            version_id=version_id,
            actor=actor,
            now=now,
            reason=reason,
            mapping=mapped(one),
        ).pk

    return [_migrated(workstream, migrated) for workstream in workstreams]


def _migrated(one: Workstream, migrate: Callable[[Workstream], int]) -> Migrated:
    try:
        migration = once(f"workstream {one.pk}", lambda: migrate(one))
    except Refusal as refusal:
        return Migrated(one, refusal=refusal)
    return Migrated(one, Migration.objects.get(pk=migration))


def follow(workstream: Workstream, version: WorkflowVersion, plan: Plan, actor: Actor, now: datetime) -> None:
    """The workstream is under way under this version, with its needs; the first one of a workflow has the
    plan's title.

    PlanHasBlockers when workstreams would need one another in a circle (AD-3).
    """
    workstream.status = WorkstreamStatus.ACTIVE
    workstream.priority = priority_under(workstream, plan)
    before = workstream.version.budget
    workstream.version = version
    if workstream.slug == version.workflow.slug:
        workstream.title = plan.name[:200]
    workstream.domain = plan.domain[:60]
    follow_budget(workstream, before, actor, now)
    save_later(workstream)
    relate_needs(workstream=workstream, plan=plan, actor=actor, now=now)
    recount(workstream, now)


def refuse_impossible(judgement: Judgement, version: WorkflowVersion, workstream: Workstream) -> None:
    """MigrationImpossible with every step that stands in the way."""
    if judgement.applies:
        return
    said = [f"{v.old or v.new}: {v.sentence}" for v in judgement.refused]
    said += [f"{key}: nothing could ever start it" for key in judgement.stuck]
    raise MigrationImpossible(
        f"{workstream} cannot go on under version {version.number} like this. {'; '.join(said)}.",
        steps=", ".join([*(v.old or v.new for v in judgement.refused), *judgement.stuck]),
        workstream=str(workstream.uuid),
        version=version.number,
    )


def _migrate(change: Change, judgement: Judgement, steps: dict[str, Step]) -> Migration:
    refuse_impossible(judgement, change.version, change.workstream)
    before = change.workstream.version
    lock_needs()
    migration, data = carry_over(change, steps, judgement)
    if before.number < change.version.number:
        supersede([before.pk])
    record(
        workstream=change.workstream,
        actor=change.actor,
        action=Action.WORKSTREAM_MIGRATED,
        subject=f"version {before.number} to version {change.version.number}",
        reason=change.reason,
        now=change.now,
        data=data,
    )
    return migration


def _approved(workstream: Workstream, version_id: int, now: datetime) -> WorkflowVersion:
    """The version, if work may go on under it now."""
    if refusal := why_no_migration(workstream):
        raise refusal
    rows = WorkflowVersion.objects.select_related("workflow").filter(pk=version_id)
    version = rows.filter(workflow=workstream.version.workflow_id).first()
    if version is None:
        raise NotFound(f"{workstream} has no such version.")
    if refusal := _why_followed(workstream, version):
        raise by_whom(
            refusal,
            f"{workstream} follows version {version.number} already",
            workstream=workstream,
            actions=[Action.WORKSTREAM_MIGRATED],
            subject__endswith=f"to version {version.number}",
        )
    if refusal := _why_not_in_force(workstream, version, now):
        raise refusal
    return version


def why_not_migrate(
    workstream: Workstream, version: WorkflowVersion, actor: Actor, now: datetime
) -> Refusal | None:
    """Why this actor may not bring the workstream to a version of its workflow; whether the mapping settles
    every step is seen by checking it."""
    return (
        why_no_other_version(workstream, version)
        or _why_not_in_force(workstream, version, now)
        or migrate_workstream.why_not(actor)
    )


def why_no_other_version(workstream: Workstream, version: WorkflowVersion) -> Refusal | None:
    """Why the workstream is not brought to the version, in force or not: it is not active, or follows it."""
    return why_no_migration(workstream) or _why_followed(workstream, version)


def why_no_migration(workstream: Workstream) -> Refusal | None:
    """Why work does not go on under another version: it is not active."""
    if under_way(workstream):
        return None
    return WrongState(
        f"{workstream} is {workstream.status}; only active workstreams are migrated.",
        recovery="Nothing is left to do here.",
    )


def _why_followed(workstream: Workstream, version: WorkflowVersion) -> Refusal | None:
    if version.pk != workstream.version_id:
        return None
    return WrongState(
        f"{workstream} follows version {version.number} already.", recovery="Nothing is left to do."
    )


def _why_not_in_force(workstream: Workstream, version: WorkflowVersion, now: datetime) -> Refusal | None:
    """Before it is in effect for the workstream it was approved for, its approval may still be withdrawn."""
    taken = version.workstream_id in {None, workstream.pk} or version.stages.exists()
    in_force = taken and version.effective_at is not None and version.effective_at <= now
    if version.status == VersionStatus.APPROVED and in_force:
        return None
    return WrongState(
        f"Version {version.number} is not in force: it is {version.get_status_display().lower()}.",
        recovery="Choose an approved version; a superseded one is reached by rolling a migration back.",
    )
