"""Plans are submitted for review (WF-2, WF-3, FR-016). What is decided then: `review/decisions.py`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.adoption import adoption_of
from orchestrator.core.errors import InvalidInput, PlanRejected, Refusal, WrongState
from orchestrator.core.findings import Finding
from orchestrator.core.limits import PLAN_BYTES
from orchestrator.core.people.roles import PROPOSERS, SUBMITTERS
from orchestrator.core.plans.checks.approvals import APPROVER_FINDINGS
from orchestrator.core.plans.checks.rules import SETTABLE
from orchestrator.core.plans.impossible import IMPOSSIBLE
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.progress import told_as_taken
from orchestrator.core.terms import Format, Scope, WorkstreamStatus
from orchestrator.models import Bundle, WorkflowVersion, Workstream
from orchestrator.queries.plans.judged import judged, judged_version
from orchestrator.queries.plans.plans import workstream_of
from orchestrator.queries.plans.readings import checked
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, lacking
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, lock_names, locked_workstream
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.plans.versions import (
    NOTHING_SAID,
    Note,
    VersionText,
    first_version,
    next_version,
    note_of,
    submitted_for,
    why_plan_is_closed,
)
from orchestrator.services.workstreams.needs import relate_needs

#: Questions, and what only a policy makes block, are for the reviewer to see, so they are stored; everything
#: else that blocks cannot be scheduled.
STORED_BLOCKERS = frozenset({"unanswered-question", *APPROVER_FINDINGS, *SETTABLE})


@dataclass(frozen=True, slots=True)
class Submission:
    version: WorkflowVersion
    workstream: Workstream
    reading: Reading


def submission_of(version_id: int) -> Submission:
    """The submission that made a version, as it reads now."""
    version = WorkflowVersion.objects.select_related("workflow").get(pk=version_id)
    workstream = workstream_of(version)
    return Submission(version, workstream, judged_version(version, workstream))


@act(
    roles=PROPOSERS,
    scope=Scope.MANAGE,
    only="a plan of its own: initiator or approver; a new version also: reviewer",
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW, Lock.NAMES, Lock.NEEDS),
    records=(Action.PLAN_SUBMITTED,),
    plain=("source",),  # a plan is decided about by its hash: the plan check tells of secrets in it
)
def submit_plan(
    *,
    source: bytes,
    source_name: str,
    actor: Actor,
    now: datetime,
    workstream: Workstream | None = None,
    change_reason: str = "",
    bundle: Bundle | None = None,
    wanted: Format | None = None,
    adopt: bool = False,
    leave_needs: bool = False,
    note: Note = NOTHING_SAID,
) -> Submission:
    """Register a plan for review: a new workstream (of a bundle), or a new version of one that is planned or
    under way.

    The text may be in any format that is read here; it is told from the content unless one is wanted. With
    `adopt`, approval takes over the state that the source tells of its tasks, if it tells any
    (`core/changes/adoption.py`); WrongState for the plan of work that is under way, which has a state of its
    own. With `leave_needs`, dependencies that cannot hold are left for the reviewer to drop
    (`review/dropped_needs.py`), and keep the plan from being approved. Work goes on under the approved
    version until the new one is approved. Raises PlanRejected with findings when the plan cannot be
    scheduled; nothing is stored then.
    """
    if refusal := why_not_submit(workstream, actor):
        raise refusal
    _refuse_past(note.wanted_effective_at, now)
    _refuse_long_origin(note.origin)
    reading = judged(checked(source, wanted, source_name), workstream=workstream, bundle=bundle)
    plan, form = _schedulable(reading, leave_needs)
    text = VersionText(source.decode("utf-8-sig"), source_name, form, adopt and bool(adoption_of(reading)))
    with unit_of_work():
        if workstream is None:
            lock_names()
            version = first_version(plan, text, actor, now, note)
            workstream = _register(plan, version, actor, now, bundle)
            submitted_for(version, workstream)
        else:
            workstream = locked_workstream(workstream.pk)
            if adopt and (refusal := why_not_adopt(workstream)):
                raise refusal
            version = next_version(workstream, plan, text, actor, now, change_reason, note)
        if workstream.status == WorkstreamStatus.PLANNING and workstream.version_id == version.pk:
            relate_needs(workstream=workstream, plan=plan, actor=actor, now=now)
        _record(version, workstream, actor, change_reason, len(reading.findings), now)
        wake(workstream.pk)
    return Submission(version, workstream, told_as_taken(reading) if version.adopts else reading)


def _record(
    version: WorkflowVersion, workstream: Workstream, actor: Actor, reason: str, findings: int, now: datetime
) -> None:
    record(
        workstream=workstream,
        actor=actor,
        action=Action.PLAN_SUBMITTED,
        subject=f"version {version.number}",
        reason=reason,
        now=now,
        data={
            "sha256": version.source_sha256,
            "findings": findings,
            "adopts": version.adopts,
            **note_of(version),
        },
    )


def why_not_submit(workstream: Workstream | None, actor: Actor) -> Refusal | None:
    """Why this actor may not submit a plan of its own, or, for a workstream, a new version of its plan."""
    if workstream and (refusal := why_plan_is_closed(workstream)):
        return refusal
    return lacking(actor, PROPOSERS if workstream else SUBMITTERS)


def why_not_adopt(workstream: Workstream | None) -> Refusal | None:
    """Why a submitted text does not say how far the tasks are: those of the workstream say so themselves."""
    if workstream is None or not workstream.tasks.exists():
        return None
    return WrongState(
        f"{workstream} is under way; its tasks have a state of their own.",
        recovery="Submit the version without adopting the state of its source.",
        field="adopt",
    )


def _schedulable(reading: Reading, leave_needs: bool) -> tuple[Plan, Format]:
    """The plan and its format; PlanRejected with what keeps it from being stored."""
    stopped = unschedulable(reading, leave_needs=leave_needs)
    if reading.format is None or reading.plan is None or stopped:
        raise PlanRejected(stopped or reading.findings, way_out_of(stopped))
    return reading.plan, reading.format


def _refuse_past(wanted: datetime | None, now: datetime) -> None:
    if wanted is not None and wanted < now:
        raise InvalidInput(
            "The wanted effective date is over.",
            recovery="Leave it out, or give a later one; the approver decides.",
            field="wanted_effective_at",
        )


def _refuse_long_origin(origin: str) -> None:
    if len(origin.encode("utf-8", "replace")) > PLAN_BYTES or "\0" in origin:
        raise InvalidInput(
            "The text that the plan was made from is larger than a plan may be.",
            recovery="Submit the plan without it.",
            field="origin",
        )


def unschedulable(reading: Reading, *, leave_needs: bool = False) -> list[Finding]:
    """What keeps a plan from being stored at all; with `leave_needs` no dependency does."""
    stored = STORED_BLOCKERS | IMPOSSIBLE if leave_needs else STORED_BLOCKERS
    return [finding for finding in reading.blockers if finding.code not in stored]


def way_out_of(stopped: Collection[Finding]) -> str:
    """The way out that is told where nothing but dependencies keeps a plan out; empty elsewhere."""
    if not stopped or not all(finding.code in IMPOSSIBLE for finding in stopped):
        return ""
    return (
        "Correct the plan at the named line and submit it again, or submit it with leave_needs: then its "
        "reviewer drops the dependencies that cannot hold. Nothing was stored."
    )


def _register(
    plan: Plan, version: WorkflowVersion, actor: Actor, now: datetime, bundle: Bundle | None
) -> Workstream:
    return Workstream.objects.create(
        slug=version.workflow.slug,
        title=plan.name[:200],
        version=version,
        domain=plan.domain[:60],
        owner=actor.account,
        priority=plan.priority,
        flow_since=now,
        created_at=now,
        updated_at=now,
        bundle=bundle,
    )
