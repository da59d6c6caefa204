"""Plans: submit, approve, send back (WF-2, WF-3, FR-016)."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from orchestrator.core.errors import (
    InvalidInput,
    MissingReason,
    NotFound,
    PlanHasBlockers,
    PlanRejected,
    SelfApproval,
    VersionMoved,
    WrongState,
)
from orchestrator.core.formats.recognise import Format
from orchestrator.core.mapping import StepMapping
from orchestrator.core.plan import Finding, Plan, Reading
from orchestrator.core.plan_check import review_any, review_source
from orchestrator.core.terms import Role, VersionStatus, WorkstreamStatus
from orchestrator.models import Bundle, Workflow, WorkflowVersion, Workstream
from orchestrator.queries.migrations import dry_run
from orchestrator.queries.plans import workstream_of
from orchestrator.services.actor import Actor
from orchestrator.services.history import record
from orchestrator.services.locks import lock_names, locked_workstream
from orchestrator.services.migration import put_into_effect, refuse_impossible
from orchestrator.services.needs import relate_needs, with_needs
from orchestrator.services.priorities import priority_under
from orchestrator.services.wake import wake

#: Questions are for the reviewer to see, so they are stored; everything else that blocks cannot be scheduled.
STORED_BLOCKERS = frozenset({"unanswered-question"})


@dataclass(frozen=True, slots=True)
class Submission:
    version: WorkflowVersion
    workstream: Workstream
    reading: Reading


def read_source(
    source: bytes | str,
    *,
    workstream: Workstream | None = None,
    bundle: Bundle | None = None,
    members: Collection[str] = (),
) -> Reading:
    """Read and check a source with the tools and the workstreams that are known here.

    `workstream` is the one the plan is for; `members` are names that the rest of its bundle will go by (AD-3).
    """
    return with_needs(review_source(source, frozenset(settings.TOOLS)), workstream, bundle, members)


def read_any_source(source: bytes | str, wanted: Format | None = None) -> tuple[Format | None, Reading]:
    """The same for another tool's plan; the format is told from the content unless one is wanted."""
    return review_any(source, frozenset(settings.TOOLS), wanted)


def submit_plan(
    *,
    source: bytes,
    source_name: str,
    actor: Actor,
    now: datetime,
    workstream: Workstream | None = None,
    change_reason: str = "",
    bundle: Bundle | None = None,
) -> Submission:
    """Register a plan for review: a new workstream (of a bundle), or a new version of one that is planned or under way.

    Work goes on under the approved version until the new one is approved. Raises PlanRejected with findings when the
    plan cannot be scheduled; nothing is stored then.
    """
    actor.require(Role.INITIATOR, Role.APPROVER, *([Role.REVIEWER] if workstream else []))
    reading = read_source(source, workstream=workstream, bundle=bundle)
    plan = reading.plan
    if plan is None or unschedulable(reading):
        raise PlanRejected(unschedulable(reading) or reading.findings)
    text = source.decode("utf-8-sig")
    with transaction.atomic():
        if workstream is None:
            lock_names()
            version = _first_version(plan, text, source_name, actor, now)
            workstream = _register(plan, version, actor, now, bundle)
            _submitted_for(version, workstream)
        else:
            workstream = locked_workstream(workstream.pk)
            version = _next_version(workstream, plan, text, source_name, actor, now, change_reason)
        if workstream.status == WorkstreamStatus.PLANNING:
            relate_needs(workstream=workstream, plan=plan, actor=actor, now=now)
        record(
            workstream=workstream,
            actor=actor,
            action="plan submitted",
            subject=f"version {version.number}",
            reason=change_reason,
            now=now,
            data={"sha256": version.source_sha256, "findings": len(reading.findings)},
        )
        wake(workstream.pk)
    return Submission(version, workstream, reading)


def unschedulable(reading: Reading) -> list[Finding]:
    """What keeps a plan from being stored at all."""
    return [finding for finding in reading.blockers if finding.code not in STORED_BLOCKERS]


def approve_version(
    *,
    version_id: int,
    seen_sha256: str,
    actor: Actor,
    now: datetime,
    note: str = "",
    mapping: Iterable[StepMapping] = (),
    effective_at: datetime | None = None,
) -> Workstream:
    """Make a version effective, at once or at a later time; execution may start once the review is signed.

    The decision is bound to the text that was read: VersionMoved when a newer one exists. Work in flight is migrated:
    `mapping` says what becomes of the steps that do not stay under their key; MigrationImpossible when it does not
    settle every started step. With a later `effective_at`, work in flight is migrated then (`services.effect`).
    """
    actor.require(Role.APPROVER)
    actor.require_person("A plan is approved by a person.")
    lines, effective_at = tuple(mapping), effective_at or now
    if effective_at < now:
        raise InvalidInput(
            "A version cannot become effective in the past.",
            recovery="Leave the time out, or give a later one.",
            field="effective_at",
        )
    with transaction.atomic():
        version, workstream = _under_review(version_id, seen_sha256)
        if workstream.status not in {WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE}:
            raise WrongState(f"{workstream} is {workstream.status}; its plan no longer changes.")
        if version.author_id == actor.account.pk and not version.workflow.allow_self_approval:
            raise SelfApproval("The author of a version may not approve it.")
        reading = read_source(version.source, workstream=workstream)
        if reading.plan is None or reading.blockers:
            first = reading.blockers[0]
            raise PlanHasBlockers(f"Line {first.line}: {first.message}", recovery=first.fix, line=first.line)
        _decide(version, VersionStatus.APPROVED, actor, note, now, effective_at)
        begins = not workstream.tasks.exists()
        if effective_at > now and not begins:
            tasks = _promise(version, reading.plan, workstream, lines)
        else:
            tasks = put_into_effect(version, reading.plan, workstream, actor, now, lines)
        _record_approval(version, workstream, actor, now, tasks if begins else 0)
        wake(workstream.pk)
    return workstream


def _promise(version: WorkflowVersion, plan: Plan, workstream: Workstream, lines: tuple[StepMapping, ...]) -> int:
    """Keep the mapping for the time that the version becomes effective; it has to be possible as work stands now."""
    refuse_impossible(dry_run(workstream, version, plan, lines), version, workstream)
    version.mapping = [line.as_data() for line in lines]
    version.save(update_fields=["mapping"])
    return 0


def _record_approval(version: WorkflowVersion, workstream: Workstream, actor: Actor, now: datetime, begun: int) -> None:
    """`version` in the data is the one that the workstream follows from now on; `added` are its first tasks."""
    added = workstream.tasks.order_by("pk").values_list("step__key", flat=True) if begun else ()
    record(
        workstream=workstream,
        actor=actor,
        action="plan approved",
        subject=f"version {version.number}",
        reason=version.decision_reason,
        now=now,
        data={
            "sha256": version.source_sha256,
            "version": workstream.version.number,
            "effective": version.effective_at.isoformat() if version.effective_at else "",
            "tasks": begun,
            "added": list(added),
        },
    )


def amend_in_force(
    *, workstream: Workstream, plan: Plan, text: str, reason: str, actor: Actor, now: datetime
) -> WorkflowVersion:
    """Put a text in force for a locked workstream without a review, because the one in force allows what it adds.

    The caller has made sure of that, and records the act (AD-8).
    """
    name = workstream.version.source_name
    version = _next_version(workstream, plan, text, name, actor, now, reason)
    _decide(version, VersionStatus.APPROVED, actor, reason, now, now)
    put_into_effect(version, plan, workstream, actor, now)
    return version


def send_back_version(
    *, version_id: int, seen_sha256: str, reason: str, actor: Actor, now: datetime
) -> WorkflowVersion:
    """Return a version to its author with the reason it needs."""
    actor.require(Role.APPROVER, Role.REVIEWER)
    if not reason.strip():
        raise MissingReason("A plan is sent back with a reason.", field="reason")
    with transaction.atomic():
        version, workstream = _under_review(version_id, seen_sha256)
        _decide(version, VersionStatus.SENT_BACK, actor, reason, now, None)
        workstream.updated_at = now
        workstream.save(update_fields=["updated_at"])
        record(
            workstream=workstream,
            actor=actor,
            action="plan sent back",
            subject=f"version {version.number}",
            reason=reason,
            now=now,
        )
        wake(workstream.pk)
    return version


def _first_version(plan: Plan, text: str, name: str, actor: Actor, now: datetime) -> WorkflowVersion:
    workflow = Workflow.objects.create(
        slug=_free_slug(plan.slug),
        name=plan.name[:200],
        domain=plan.domain[:60],
        created_at=now,
        created_by=actor.account,
    )
    return _version(workflow, 1, plan, text, name, actor, now, "")


def _next_version(
    workstream: Workstream, plan: Plan, text: str, name: str, actor: Actor, now: datetime, reason: str
) -> WorkflowVersion:
    if workstream.status not in {WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE}:
        raise WrongState(f"{workstream} is {workstream.status}; its plan no longer changes.")
    _lock_workflow(workstream.version.workflow_id)
    current = WorkflowVersion.objects.filter(workflow=workstream.version.workflow_id).order_by("-number")[0]
    if not reason.strip():
        raise MissingReason("A new version says why it was made.", field="change_reason")
    digest = hashlib.sha256(text.encode()).hexdigest()
    anothers = current.workstream_id not in {None, workstream.pk}
    if current.source_sha256 == digest and not anothers:
        raise InvalidInput("This text is the current version already; nothing changed.", field="source")
    if anothers:
        _refuse_waiting(current)
    if current.status != VersionStatus.APPROVED:
        WorkflowVersion.objects.filter(pk=current.pk).update(status=VersionStatus.SUPERSEDED)
    version = _version(current.workflow, current.number + 1, plan, text, name, actor, now, reason)
    _submitted_for(version, workstream)
    workstream.updated_at = now
    if workstream.status == WorkstreamStatus.PLANNING:
        workstream.priority = priority_under(workstream, plan)
        workstream.version, workstream.title, workstream.domain = version, plan.name[:200], plan.domain[:60]
    workstream.save(update_fields=["version", "updated_at", "title", "domain", "priority"])
    return version


def _refuse_waiting(current: WorkflowVersion) -> None:
    """A newer version takes the place of one that waits; not of one that waits for another workstream."""
    if current.status == VersionStatus.IN_REVIEW:
        raise WrongState(
            f"Version {current.number} of this workflow waits for a decision, for {current.workstream}.",
            recovery="Have that version approved or sent back first, then submit this one.",
            version=current.number,
        )


def _submitted_for(version: WorkflowVersion, workstream: Workstream) -> None:
    """Approving the version will migrate this workstream; others follow when they are migrated (FR-016)."""
    version.workstream = workstream
    version.save(update_fields=["workstream"])


def _version(
    workflow: Workflow, number: int, plan: Plan, text: str, name: str, actor: Actor, now: datetime, reason: str
) -> WorkflowVersion:
    return WorkflowVersion.objects.create(
        workflow=workflow,
        number=number,
        source=text,
        source_name=name[:200],
        source_sha256=hashlib.sha256(text.encode()).hexdigest(),
        summary=plan.summary,
        repository=plan.repository[:100],
        base_branch=plan.base_branch[:100],
        author=actor.account,
        change_reason=reason,
        submitted_at=now,
    )


def _register(plan: Plan, version: WorkflowVersion, actor: Actor, now: datetime, bundle: Bundle | None) -> Workstream:
    return Workstream.objects.create(
        slug=version.workflow.slug,
        title=plan.name[:200],
        version=version,
        domain=plan.domain[:60],
        owner=actor.account,
        priority=plan.priority,
        created_at=now,
        updated_at=now,
        bundle=bundle,
    )


def _free_slug(slug: str) -> str:
    taken = set(Workflow.objects.filter(slug__startswith=slug[:50]).values_list("slug", flat=True))
    taken |= set(Workstream.objects.filter(slug__startswith=slug[:50]).values_list("slug", flat=True))
    candidates = (slug if n == 1 else f"{slug[:50]}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _lock_workflow(workflow_id: int) -> None:
    """Versions of one workflow are numbered and decided one after another, whichever workstream they are for."""
    Workflow.objects.select_for_update(no_key=True).get(pk=workflow_id)


def _under_review(version_id: int, seen_sha256: str) -> tuple[WorkflowVersion, Workstream]:
    """The version and its locked workstream, if this is what the decider read and it still waits for a decision."""
    version = WorkflowVersion.objects.select_related("workflow").filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such version.")
    workstream = locked_workstream(workstream_of(version).pk)
    _lock_workflow(version.workflow_id)
    newest = WorkflowVersion.objects.filter(workflow=version.workflow).order_by("-number").first()
    if newest is None or newest.pk != version.pk or seen_sha256 != version.source_sha256:
        raise VersionMoved(
            f"Version {newest.number if newest else '?'} is newer than the one you read (version {version.number}).",
            newest=newest.number if newest else None,
        )
    version.refresh_from_db(fields=["status"])
    if version.status != VersionStatus.IN_REVIEW:
        raise WrongState(f"Version {version.number} was already decided: it is {version.get_status_display().lower()}.")
    return version, workstream


def _decide(
    version: WorkflowVersion,
    status: VersionStatus,
    actor: Actor,
    reason: str,
    now: datetime,
    effective_at: datetime | None,
) -> None:
    version.status, version.decided_by, version.decided_at, version.decision_reason = status, actor.account, now, reason
    version.effective_at = effective_at
    version.save(update_fields=["status", "decided_by", "decided_at", "decision_reason", "effective_at"])
