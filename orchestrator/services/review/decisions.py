"""What is decided about a submitted version: approve it, send it back, withdraw it (WF-3, FR-016).

An approval that has not taken effect yet is withdrawn by `withdrawals.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.errors import (
    AlreadyDecided,
    InvalidInput,
    NotFound,
    PlanHasBlockers,
    Refusal,
    SelfApproval,
    VersionMoved,
    WrongState,
)
from orchestrator.core.findings import Finding
from orchestrator.core.people.roles import APPROVERS, PROPOSERS, SIGNERS
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import Format, Scope, VersionStatus, WorkstreamStatus
from orchestrator.models import Approval, WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import dry_run
from orchestrator.queries.plans.judged import judged_version
from orchestrator.queries.plans.plans import workstream_of
from orchestrator.queries.plans.sign_offs import SignOffs, sign_offs, who_may_approve
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, lacking, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, lock_workflow, locked_workstream
from orchestrator.services.base.progress import touch
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.changes.adoption import adopt_state
from orchestrator.services.changes.migration import first_tasks, put_into_effect, refuse_impossible
from orchestrator.services.plans.comments import send_drafts
from orchestrator.services.plans.versions import (
    VersionText,
    name_as_plan,
    next_version,
    reason_as_plan,
    why_plan_is_closed,
)
from orchestrator.services.review.gates import sign_as_planned
from orchestrator.services.review.holding import held_until


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    person="A plan is approved by a person.",
    only="not its author, unless the workflow allows it",
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW, Lock.NEEDS),
    records=(
        Action.PLAN_SIGNED,
        Action.PLAN_APPROVED,
        Action.COMMENTS_SENT,
        Action.WORKSTREAM_MIGRATED,
        Action.INTERVENTION_DONE,
    ),
)
def approve_version(
    *,
    version_id: int,
    seen_sha256: str,
    actor: Actor,
    now: datetime,
    note: str = "",
    mapping: Iterable[StepMapping] = (),
    effective_at: datetime | None = None,
    withdraw_seconds: int = 0,
) -> Workstream:
    """Sign a version; with the last approval that its workflow requires it becomes effective, at once or
    later.

    The note of each approval is kept, the mapping and the effective date are those of the last one, which the
    answer shows: the version is approved then. WrongState when this person approved it and others still have
    to.

    The decision is bound to the text that was read: VersionMoved when a newer one exists. Work in flight is
    migrated: `mapping` says what becomes of the steps that do not stay under their key; MigrationImpossible
    when it does not settle every started step. With a later `effective_at`, or seconds to withdraw it,
    nothing happens before: tasks are created, or work in flight is migrated, by `services.effect` then.
    """
    effective_at = _time_of_effect(effective_at, withdraw_seconds, now)
    with unit_of_work():
        version, workstream = under_review(version_id, seen_sha256)
        before = sign_offs(version)
        if refusal := why_not_approve_version(version, workstream, actor, before):
            raise refusal
        reading = judged_version(version, workstream)
        refusal = why_blocked(reading.blockers)
        if refusal or reading.plan is None:
            raise refusal or PlanHasBlockers("The text cannot be read as a plan.")
        send_drafts(version=version, workstream=workstream, actor=actor, now=now)
        if not _signed_by_all(version, workstream, actor, note, now, before):
            return workstream
        _decide(version, VersionStatus.APPROVED, actor, note, now, effective_at)
        begins, lines = not workstream.tasks.exists(), tuple(mapping)
        if waits := effective_at > now:
            _promise(version, reading.plan, workstream, lines)
        else:
            put_into_effect(version, reading.plan, workstream, actor, now, lines)
            sign_as_planned(version=version, workstream=workstream, now=now)
        _record_approval(version, workstream, actor, now, begun=begins and not waits)
        if begins and not waits:
            adopt_state(version=version, workstream=workstream, actor=actor, now=now)
        wake(workstream.pk)
    return workstream


@act(
    roles=SIGNERS,
    scope=Scope.MANAGE,
    reason=why("reason", "A plan is sent back with a reason."),
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW),
    records=(Action.PLAN_SENT_BACK, Action.COMMENTS_SENT),
)
def send_back_version(
    *, version_id: int, seen_sha256: str, reason: str, actor: Actor, now: datetime
) -> WorkflowVersion:
    """Return a version to its author with the reason it needs; WrongState for closed work (LC-3)."""
    with unit_of_work():
        version, workstream = under_review(version_id, seen_sha256)
        if refusal := why_not_send_back_version(version, workstream, actor):
            raise refusal
        _decide(version, VersionStatus.SENT_BACK, actor, reason, now, None)
        send_drafts(version=version, workstream=workstream, actor=actor, now=now)
        note_on(version, workstream, actor, Action.PLAN_SENT_BACK, reason, now)
        wake(workstream.pk)
    return version


@act(
    roles=PROPOSERS,
    scope=Scope.MANAGE,
    reason=why("reason", "A plan is withdrawn with a reason."),
    only="its author, or an approver",
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW),
    records=(Action.PLAN_WITHDRAWN,),
)
def withdraw_version(
    *, version_id: int, seen_sha256: str, reason: str, actor: Actor, now: datetime
) -> WorkflowVersion:
    """Withdraw a version in review, with a reason; its author may, and every approver.

    Locks like an approval.
    """
    with unit_of_work():
        version, workstream = under_review(version_id, seen_sha256)
        if refusal := why_not_withdraw(version, actor):
            raise refusal
        _decide(version, VersionStatus.WITHDRAWN, actor, reason, now, None)
        note_on(version, workstream, actor, Action.PLAN_WITHDRAWN, reason, now)
    return version


def why_not_withdraw(version: WorkflowVersion, actor: Actor) -> Refusal | None:
    """Why this actor may not take the version back: it is an approver's, unless they wrote it."""
    if refusal := why_settled(version):
        return refusal
    own = version.author_id == actor.account.pk
    return lacking(actor, PROPOSERS if own else APPROVERS)


def why_not_send_back_version(
    version: WorkflowVersion, workstream: Workstream, actor: Actor
) -> Refusal | None:
    """Why this actor may not send a version in review back: the work is closed (LC-3), or their role."""
    return why_settled(version) or why_plan_is_closed(workstream) or send_back_version.why_not(actor)


def why_not_approve_version(
    version: WorkflowVersion, workstream: Workstream, actor: Actor, so_far: SignOffs
) -> Refusal | None:
    """Why this actor may not approve the version: the work is closed, their role, they wrote it, or they
    approved it already.

    `so_far` are the approvals that it has.
    """
    if refusal := (why_settled(version) or why_plan_is_closed(workstream) or approve_version.why_not(actor)):
        return refusal
    if version.author_id == actor.account.pk and not version.workflow.allow_self_approval:
        others = who_may_approve(version.workflow, version.author_id)
        return SelfApproval(f"You wrote this version; {_one_of(others)} has to approve it.")
    if so_far.missing and actor.account.get_username() in so_far.given:
        return WrongState(
            f"You approved this version already ({so_far.sentence}).",
            recovery=f"Ask {so_far.asked} to approve it too.",
        )
    return None


def why_blocked(findings: Sequence[Finding]) -> Refusal | None:
    """Why a version is not approved by anybody: of what its check found, the first that blocks it."""
    first = next((found for found in findings if found.blocks), None)
    if first is None:
        return None
    where = f"Line {first.line}: " if first.line else ""
    return PlanHasBlockers(f"{where}{first.message}", recovery=first.fix, line=first.line)


def _one_of(names: Sequence[str]) -> str:
    if not names:
        return "another approver"
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _signed_by_all(
    version: WorkflowVersion,
    workstream: Workstream,
    actor: Actor,
    note: str,
    now: datetime,
    before: SignOffs,
) -> bool:
    """Keep the approval of this person; whether it was the last one needed (WF-3)."""
    if actor.account.get_username() not in before.given:
        Approval.objects.create(
            version=version,
            sha256=version.source_sha256,
            person=actor.account,
            signed_as=actor.label,
            note=note,
            signed_at=now,
        )
    if not sign_offs(version).missing:
        return True
    note_on(version, workstream, actor, Action.PLAN_SIGNED, note, now)
    return False


def note_on(
    version: WorkflowVersion, workstream: Workstream, actor: Actor, action: Action, reason: str, now: datetime
) -> None:
    """Record what was said or decided about a version of a locked workstream."""
    touch(workstream, now)
    record(
        workstream=workstream,
        actor=actor,
        action=action,
        subject=f"version {version.number}",
        reason=reason,
        now=now,
        data={"sha256": version.source_sha256},
    )


def amend_in_force(
    *, workstream: Workstream, plan: Plan, text: str, reason: str, actor: Actor, now: datetime
) -> WorkflowVersion:
    """Put a text in force for a locked workstream without a review, because the one in force allows what it
    adds.

    The caller has made sure of that, and records the act (AD-8).
    """
    base = workstream.version
    written = VersionText(text, name_as_plan(base), Format.PLAN)
    version = next_version(workstream, plan, written, actor, now, reason_as_plan(base, reason))
    _decide(version, VersionStatus.APPROVED, actor, reason, now, now)
    put_into_effect(version, plan, workstream, actor, now)
    return version


def _time_of_effect(asked: datetime | None, withdraw_seconds: int, now: datetime) -> datetime:
    """The time that was asked for, else as soon as nobody can withdraw the approval any more."""
    if asked is not None and asked < now:
        raise InvalidInput(
            "A version cannot become effective in the past.",
            recovery="Leave the time out, or give a later one.",
            field="effective_at",
        )
    instead = "Give a date from which the version is effective instead."
    return asked or held_until(withdraw_seconds, now, "An approval", instead)


def _promise(
    version: WorkflowVersion, plan: Plan, workstream: Workstream, lines: tuple[StepMapping, ...]
) -> None:
    """Keep the mapping for the time that the version becomes effective.

    It has to be possible as work stands now.
    """
    if workstream.status == WorkstreamStatus.ACTIVE:
        refuse_impossible(dry_run(workstream, version, plan, lines), version, workstream)
    version.mapping = [line.as_data() for line in lines]
    version.save(update_fields=["mapping"])


def _record_approval(
    version: WorkflowVersion, workstream: Workstream, actor: Actor, now: datetime, *, begun: bool
) -> None:
    """`version` in the data is the one that the workstream follows from now on; `added` are its first tasks.

    While a first version waits for its time (`waits`), its workstream follows none.
    """
    added = first_tasks(workstream) if begun else ()
    waits = workstream.status == WorkstreamStatus.PLANNING
    record(
        workstream=workstream,
        actor=actor,
        action=Action.PLAN_APPROVED,
        subject=f"version {version.number}",
        reason=version.decision_reason,
        now=now,
        data={
            "sha256": version.source_sha256,
            "version": workstream.version.number,
            "effective": version.effective_at.isoformat() if version.effective_at else "",
            "tasks": len(added),
            "added": list(added),
            "waits": waits,
        },
    )


def under_review(version_id: int, seen_sha256: str) -> tuple[WorkflowVersion, Workstream]:
    """The version and its locked workstream, if the decider read this text and it is still in review."""
    version = WorkflowVersion.objects.select_related("workflow").filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such version.")
    workstream = locked_workstream(workstream_of(version).pk)
    lock_workflow(version.workflow_id)
    newest = WorkflowVersion.objects.filter(workflow=version.workflow).order_by("-number")[0]
    if refusal := why_moved(version, newest):
        raise refusal
    if seen_sha256 != version.source_sha256:
        raise VersionMoved(
            f"The text of version {version.number} is not the one that you read: its digest is another.",
            newest=newest.number,
        )
    version.refresh_from_db(fields=["status", "workflow"])
    if refusal := why_settled(version):
        raise refusal
    return version, workstream


def why_moved(version: WorkflowVersion, newest: WorkflowVersion) -> Refusal | None:
    """Why nothing is decided about a version any more: its workflow has a newer one."""
    if newest.pk == version.pk:
        return None
    return VersionMoved(
        f"Version {newest.number} is newer than the one you read (version {version.number}).",
        newest=newest.number,
    )


def why_settled(version: WorkflowVersion) -> Refusal | None:
    """Why nothing is left to decide about a version: names who decided, and when."""
    if version.status == VersionStatus.IN_REVIEW:
        return None
    said = str(version.get_status_display()).lower()
    by, at = version.decided_as, version.decided_at
    return AlreadyDecided(
        f"Version {version.number} was already decided: it is {said}{f' by {by}' if by else ''}.",
        at=at.isoformat() if at else None,
    )


def _decide(
    version: WorkflowVersion,
    status: VersionStatus,
    actor: Actor,
    reason: str,
    now: datetime,
    effective_at: datetime | None,
) -> None:
    version.status, version.decided_by, version.decided_as = status, actor.account, actor.label
    version.decided_at, version.decision_reason = now, reason
    version.effective_at = effective_at
    version.save(
        update_fields=["status", "decided_by", "decided_as", "decided_at", "decision_reason", "effective_at"]
    )
