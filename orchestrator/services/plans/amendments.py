"""Amendments: a fix stage after an evaluation, tasks for gaps after a review.

Always a new version (WF-5, LC-3).
"""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.fix_stage import NewStage, is_appended, read_batches, with_stage
from orchestrator.core.errors import InvalidInput, WrongState
from orchestrator.core.people.roles import PROPOSERS
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import Format, Scope, VersionStatus, WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.plans.readings import checked, plan_text
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.plans.plans import Submission, submit_plan
from orchestrator.services.plans.versions import name_as_plan, reason_as_plan
from orchestrator.services.work.planned_signatures import refuse_signature


@act(
    roles=PROPOSERS,
    scope=Scope.MANAGE,
    only="with the signature of a gate: whom the gate asks",
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW),
    records=(Action.PLAN_SUBMITTED,),
)
def propose_stage(
    *,
    workstream: Workstream,
    name: str,
    tasks: str,
    reason: str,
    actor: Actor,
    now: datetime,
    gate_key: str = "",
    sign_gate: bool = False,
) -> Submission:
    """Submit the text that an active workstream follows, or soon will, with one more stage; an approver
    decides.

    `tasks` has one task a line (`title | exit criterion`), below headings `Batch` and `Thread` where it has
    several. Behind an evaluation gate (`gate_key`) the stage is a fix stage with an evaluation of its own;
    without one it stands at the plan's end. With `sign_gate` the proposer's signature of the gate counts from
    the moment that the version takes effect (`planned_signatures`), so that the fix stage starts then and
    nothing behind it.
    """
    work = read_batches(tasks)
    if not name.strip():
        raise InvalidInput("The stage needs a name, for example “fix auth race”.", field="name")
    if not work:
        raise InvalidInput("Name at least one task, one a line.", field="tasks")
    if workstream.status != WorkstreamStatus.ACTIVE:
        raise WrongState(f"{workstream} is {workstream.status}; stages are added to active workstreams.")
    base = base_of(workstream)
    text = plan_text(base)
    plan = checked(text, Format.PLAN).plan
    if plan is None:
        raise WrongState(f"The text of version {base.number} can no longer be read.")
    stage = NewStage(name, work, _position(plan, gate_key), gate=bool(gate_key))
    amended = with_stage(text, plan, stage)
    _refuse_misread(plan, amended, stage)
    with unit_of_work():
        if sign_gate:
            refuse_signature(workstream, gate_key, actor)
        submission = submit_plan(
            source=amended.encode(),
            source_name=name_as_plan(base),
            actor=actor,
            now=now,
            workstream=workstream,
            change_reason=reason_as_plan(base, reason),
            wanted=Format.PLAN,
        )
        if sign_gate:
            submission.version.signs_gate = gate_key
            submission.version.save(update_fields=["signs_gate"])
    return submission


def _refuse_misread(plan: Plan, amended: str, stage: NewStage) -> None:
    after = checked(amended, Format.PLAN).plan
    if after is None or not is_appended(plan, after, stage):
        raise InvalidInput(
            "Something in the tasks or names reads as another part of a plan, so more than a "
            "stage would change.",
            recovery="Write plain sentences, and no headings but Batch and Thread.",
            field="tasks",
        )


def base_of(workstream: Workstream) -> WorkflowVersion:
    """What an amendment grows from: the version that waits for this workstream, which the new one would
    otherwise undo, or the one that it follows. Texts of other workstreams on the workflow have steps that are
    none of its own."""
    waiting = WorkflowVersion.objects.filter(
        status__in=[VersionStatus.IN_REVIEW, VersionStatus.SENT_BACK, VersionStatus.APPROVED],
        workstream=workstream,
        number__gt=workstream.version.number,
        stages=None,
    )
    return waiting.order_by("-number").first() or workstream.version


def _position(plan: Plan, gate_key: str) -> int | None:
    """The stage of the gate in the text that grows."""
    found = (placed.place[0] for placed in plan.placed_steps() if placed.step.key == gate_key)
    return next(found, None) if gate_key else None
