"""An approver thinks again: an approval is withdrawn before it takes effect, and stays on record.

Requirements: WF-3, FR-016.
"""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import NotFound, Refusal, WrongState
from orchestrator.core.people.roles import APPROVERS
from orchestrator.core.terms import Scope, VersionStatus, WorkstreamStatus
from orchestrator.models import Approval, WorkflowVersion, Workstream
from orchestrator.queries.plans.effect import in_effect
from orchestrator.queries.plans.plans import workstream_of
from orchestrator.queries.plans.readings import plan_of
from orchestrator.queries.plans.sign_offs import SignOffs, sign_offs
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.history import tells_of
from orchestrator.services.base.locks import Lock, lock_workflow, locked_workstream
from orchestrator.services.base.rows import changed
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.plans.versions import plan_under, why_plan_is_closed
from orchestrator.services.review.decisions import note_on
from orchestrator.services.workstreams.needs import relate_needs


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    person="An approval is withdrawn by who gave it.",
    only="who gave it",
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW, Lock.NEEDS),
    records=(Action.APPROVAL_WITHDRAWN,),
)
def withdraw_approval(*, version_id: int, actor: Actor, now: datetime, reason: str = "") -> WorkflowVersion:
    """Withdraw one's own approval; a version that it had approved is in review again, and nothing of it
    starts.

    WrongState once the version took effect, or when this person has no approval of it that still counts.
    Locks as an approval and as taking effect do, so whichever comes first stands.
    """
    with unit_of_work():
        version, workstream = _locked(version_id)
        if refusal := why_not_withdraw_approval(version, workstream, actor, sign_offs(version)):
            raise refusal
        mine = Approval.objects.filter(version=version, person=actor.account, withdrawn_at=None)
        withdrawn = changed(mine, withdrawn_at=now)
        tells_of(Approval, withdrawn, withdrawn_at=now)
        if version.status == VersionStatus.APPROVED:
            _back_in_review(version, workstream, actor, now)
        note_on(version, workstream, actor, Action.APPROVAL_WITHDRAWN, reason, now)
        wake(workstream.pk)
    return version


def why_not_withdraw_approval(
    version: WorkflowVersion, workstream: Workstream, actor: Actor, so_far: SignOffs
) -> Refusal | None:
    """Why this actor withdraws no approval of the version: it took effect, the work is closed, or none of
    those that it has (`so_far`) is theirs."""
    if version.status not in {VersionStatus.IN_REVIEW, VersionStatus.APPROVED} or in_effect(version):
        return WrongState(
            f"Version {version.number} is {_said(version)}; its approvals stand.",
            recovery="Submit a new version, or roll the migration back.",
        )
    if refusal := why_plan_is_closed(workstream) or withdraw_approval.why_not(actor):
        return refusal
    me = actor.account.get_username()
    if any(one.person == me and one.current for one in so_far.people):
        return None
    return WrongState(
        f"{actor.label} has no approval of version {version.number} to withdraw.",
        recovery="Who approved it withdraws it; or submit a new version.",
    )


def _locked(version_id: int) -> tuple[WorkflowVersion, Workstream]:
    version = WorkflowVersion.objects.select_related("workflow").filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such version.")
    workstream = locked_workstream(workstream_of(version).pk)
    lock_workflow(version.workflow_id)
    version.refresh_from_db(fields=["status"])
    return version, workstream


def _said(version: WorkflowVersion) -> str:
    approved = version.status == VersionStatus.APPROVED
    return "in effect" if approved else str(version.get_status_display()).lower()


def _back_in_review(version: WorkflowVersion, workstream: Workstream, actor: Actor, now: datetime) -> None:
    """Nothing was decided after all. Where a newer version came meanwhile, that one is to be decided."""
    newest = WorkflowVersion.objects.filter(workflow=version.workflow_id).order_by("-number")[0]
    version.status = VersionStatus.IN_REVIEW if newest.pk == version.pk else VersionStatus.SUPERSEDED
    version.decided_by = version.decided_at = version.effective_at = None
    version.decided_as = ""
    version.decision_reason, version.mapping = "", []
    version.save(
        update_fields=[
            "status",
            "decided_by",
            "decided_as",
            "decided_at",
            "effective_at",
            "decision_reason",
            "mapping",
        ]
    )
    own = newest.workstream_id in {None, workstream.pk}
    if newest.pk != version.pk and own and workstream.status == WorkstreamStatus.PLANNING:
        plan = plan_of(newest)
        plan_under(workstream, newest, plan)
        relate_needs(workstream=workstream, plan=plan, actor=actor, now=now)
