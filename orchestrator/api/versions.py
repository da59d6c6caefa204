"""Versions: approve, send back, migrate one or many, roll back, start, change log.

Requirements: FR-001, FR-016, FR-022.
"""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.plans import SubmissionFacts
from orchestrator.contract.values import NO_REASON, OptionalReason
from orchestrator.contract.versions import (
    DependencyDrop,
    DryRunFacts,
    ManyMigrations,
    MappedMigration,
    MappingLine,
    MigrationFacts,
    PairFacts,
    RollBack,
    SendBack,
    VerdictFacts,
    VersionApproval,
    VersionChangeFacts,
    WorkstreamStart,
)
from orchestrator.contract.workstreams import WorkstreamFacts
from orchestrator.core.changes.judge import ItemVerdict, Judgement
from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import Scope
from orchestrator.models import Migration, Workflow, WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import dry_run, under_way, with_suggestions
from orchestrator.queries.plans.change_log import LoggedChange, change_log
from orchestrator.queries.plans.plans import find_version, workstream_of
from orchestrator.queries.plans.readings import plan_of
from orchestrator.queries.workstreams.workstream_facts import find_workstream, workstream_detail
from orchestrator.services.changes.migration import Migrated, migrate_several, migrate_workstream
from orchestrator.services.changes.roll_back import roll_back
from orchestrator.services.plans.plans import submission_of
from orchestrator.services.plans.starting import start_workstream
from orchestrator.services.review.decisions import approve_version, send_back_version, withdraw_version
from orchestrator.services.review.dropped_needs import drop_dependency
from orchestrator.services.review.withdrawals import withdraw_approval
from orchestrator.web.plans.submission_facts import submission_facts

router = Routes(tags=["versions"])


@router.get("/workflows/{slug:slug}/changes", response=list[VersionChangeFacts])
@needs(Scope.READ)
def changes(request: HttpRequest, slug: str) -> list[VersionChangeFacts]:
    """The change log of a workflow, newest first."""
    return [_change(entry) for entry in change_log(_workflow(slug))]


@router.post("/workflows/{slug:slug}/workstreams", response={201: WorkstreamFacts})
@act(start_workstream, status=201)
def start(request: HttpRequest, slug: str, body: WorkstreamStart) -> WorkstreamFacts:
    """Start another workstream on the version in effect; its pre-handoff review has to be signed."""
    actor = caller_of(request).actor
    return workstream_detail(
        start_workstream(workflow=slug, title=body.title, actor=actor, now=timezone.now()).uuid
    )


@router.post("/workflows/{slug:slug}/versions/{int:number}/approve", response=WorkstreamFacts)
@act(approve_version)
def approve(request: HttpRequest, slug: str, number: int, body: VersionApproval) -> WorkstreamFacts:
    """Approve exactly the text with this SHA-256; the version is approved with the last approval it needs.

    `effective_at` puts it off, `withdraw_seconds` leaves time to withdraw it before anything starts,
    `mapping` says what becomes of steps; those of the last approval count.
    """
    version = find_version(slug, number)
    workstream = approve_version(
        version_id=version.pk,
        seen_sha256=body.sha256,
        note=body.note,
        mapping=_mapping(workstream_of(version), version, body),
        effective_at=body.effective_at,
        withdraw_seconds=body.withdraw_seconds,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(workstream.uuid)


@router.post("/workflows/{slug:slug}/versions/{int:number}/withdraw-approval", response=WorkstreamFacts)
@act(withdraw_approval)
def withdraw_own_approval(
    request: HttpRequest, slug: str, number: int, body: OptionalReason = NO_REASON
) -> WorkstreamFacts:
    """Withdraw one's own approval before the version has taken effect; it is in review again then."""
    version = withdraw_approval(
        version_id=find_version(slug, number).pk,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(workstream_of(version).uuid)


@router.post("/workflows/{slug:slug}/versions/{int:number}/send-back", response=WorkstreamFacts)
@act(send_back_version)
def send_back(request: HttpRequest, slug: str, number: int, body: SendBack) -> WorkstreamFacts:
    """Return exactly the text with this SHA-256 to its author, with the reason."""
    version = send_back_version(
        version_id=find_version(slug, number).pk,
        seen_sha256=body.sha256,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(workstream_of(version).uuid)


@router.post("/workflows/{slug:slug}/versions/{int:number}/drop-dependency", response={201: SubmissionFacts})
@act(drop_dependency, status=201)
def drop(request: HttpRequest, slug: str, number: int, body: DependencyDrop) -> SubmissionFacts:
    """Drop a dependency that names nothing, closes a circle or stands in a later batch.

    The answer is the next version: the same text, read without the dependency.
    """
    version = drop_dependency(
        version_id=find_version(slug, number).pk,
        seen_sha256=body.sha256,
        step=body.step,
        need=body.need,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return submission_facts(submission_of(version.pk))


@router.post("/workflows/{slug:slug}/versions/{int:number}/withdraw", response=WorkstreamFacts)
@act(withdraw_version)
def withdraw(request: HttpRequest, slug: str, number: int, body: SendBack) -> WorkstreamFacts:
    """Withdraw exactly the text with this SHA-256 from review, with the reason.

    For its author and approvers.
    """
    version = withdraw_version(
        version_id=find_version(slug, number).pk,
        seen_sha256=body.sha256,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(workstream_of(version).uuid)


@router.post("/workflows/{slug:slug}/versions/{int:number}/migrations", response=list[MigrationFacts])
@act(migrate_several)
def migrate_many(request: HttpRequest, slug: str, number: int, body: ManyMigrations) -> list[MigrationFacts]:
    """Migrate several workstreams, each on its own.

    The answer has one result for each, in the order asked for.
    """
    version = find_version(slug, number)
    results = migrate_several(
        workstreams=[find_workstream(uuid) for uuid in body.workstreams],
        version_id=version.pk,
        reason=body.reason,
        mapping=_lines(body.mapping),
        suggested=body.suggested,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return [_result(result, version.number) for result in results]


@router.post("/workstreams/{uuid:uuid}/migrations/{int:number}/check", response=DryRunFacts)
@needs(Scope.READ)
def check(request: HttpRequest, uuid: UUID, number: int, body: MappedMigration) -> DryRunFacts:
    """The verdict for every item, should the workstream be migrated to this version; stores nothing."""
    workstream = find_workstream(uuid)
    version = find_version(_slug_of(workstream), number)
    plan, given = plan_of(version), _lines(body.mapping)
    paired = with_suggestions(workstream, version, plan, given)
    pairs = tuple(PairFacts(one.old, one.new, one.suggested) for one in paired[len(given) :])
    judgement = dry_run(workstream, version, plan, paired if body.suggested else given)
    return _dry(workstream, judgement, pairs)


@router.post("/workstreams/{uuid:uuid}/migrations/{int:number}", response=MigrationFacts)
@act(migrate_workstream)
def migrate(request: HttpRequest, uuid: UUID, number: int, body: MappedMigration) -> MigrationFacts:
    """Bring the workstream to an approved version."""
    workstream = find_workstream(uuid)
    version = find_version(_slug_of(workstream), number)
    migration = migrate_workstream(
        workstream_id=workstream.pk,
        version_id=version.pk,
        mapping=_mapping(workstream, version, body),
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return MigrationFacts(workstream.uuid, workstream.slug, number, migration.pk)


@router.post("/workstreams/{uuid:uuid}/roll-back", response=MigrationFacts)
@act(roll_back)
def roll_back_latest(request: HttpRequest, uuid: UUID, body: RollBack) -> MigrationFacts:
    """Roll back the workstream's latest migration, which the body names."""
    workstream = find_workstream(uuid)
    if not Migration.objects.filter(pk=body.migration, workstream=workstream).exists():
        raise NotFound(f"{workstream} has no such migration.", field="migration")
    done = roll_back(
        migration_id=body.migration, reason=body.reason, actor=caller_of(request).actor, now=timezone.now()
    )
    return MigrationFacts(workstream.uuid, workstream.slug, done.to_version.number, done.pk)


def _workflow(slug: str) -> Workflow:
    workflow = Workflow.objects.filter(slug=slug).first()
    if workflow is None:
        raise NotFound(f"There is no workflow {slug}.")
    return workflow


def _slug_of(workstream: Workstream) -> str:
    return workstream.version.workflow.slug


def _lines(lines: list[MappingLine]) -> tuple[StepMapping, ...]:
    return tuple(StepMapping(tuple(line.old), tuple(line.new), line.redo, line.reason) for line in lines)


def _mapping(
    workstream: Workstream, version: WorkflowVersion, body: MappedMigration | VersionApproval
) -> tuple[StepMapping, ...]:
    """The lines of a body, filled up as the page suggests where it says so and work is in flight."""
    lines = _lines(body.mapping)
    if not body.suggested or not under_way(workstream):
        return lines
    return with_suggestions(workstream, version, plan_of(version), lines)


def _dry(workstream: Workstream, judgement: Judgement, pairs: tuple[PairFacts, ...]) -> DryRunFacts:
    verdicts = tuple(_verdict(verdict) for verdict in judgement.verdicts)
    return DryRunFacts(workstream.uuid, workstream.slug, judgement.applies, verdicts, judgement.stuck, pairs)


def _verdict(verdict: ItemVerdict) -> VerdictFacts:
    return VerdictFacts(
        verdict.old, verdict.new, verdict.kind, verdict.outcome, verdict.status, verdict.sentence
    )


def _result(one: Migrated, version: int) -> MigrationFacts:
    if one.migration:
        return MigrationFacts(one.workstream.uuid, one.workstream.slug, version, one.migration.pk)
    said = one.refusal
    return MigrationFacts(
        one.workstream.uuid,
        one.workstream.slug,
        version,
        refusal=said.message if said else "",
        recovery=said.way_out if said else "",
    )


def _change(entry: LoggedChange) -> VersionChangeFacts:
    impact = entry.impact
    return VersionChangeFacts(
        at=entry.at,
        what=entry.what,
        version=entry.version,
        who=entry.who,
        reason=entry.reason,
        impact=impact.sentence,
        note=entry.note,
        added=impact.added,
        dropped=impact.dropped,
        changed=impact.changed,
        again=impact.again,
        workstream_title=entry.workstream,
        effective_at=entry.effective_at,
        wanted_at=entry.wanted_at,
    )
