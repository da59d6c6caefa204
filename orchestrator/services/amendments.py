"""Amendments: a fix stage after an evaluation, tasks for gaps after a review; always a new version (WF-5, LC-3)."""

from datetime import datetime

from orchestrator.core.errors import InvalidInput, WrongState
from orchestrator.core.plan_amend import NewStage, new_tasks, with_stage
from orchestrator.core.terms import Role, WorkstreamStatus
from orchestrator.models import Step, WorkflowVersion, Workstream
from orchestrator.services.actor import Actor
from orchestrator.services.plans import Submission, read_source, submit_plan

#: Who may add a stage to work that is under way.
PROPOSERS = (Role.INITIATOR, Role.REVIEWER, Role.APPROVER)


def propose_stage(
    *, workstream: Workstream, name: str, tasks: str, reason: str, actor: Actor, now: datetime, gate_key: str = ""
) -> Submission:
    """Submit the newest text of an active workstream's plan with one more stage, for an approver to decide.

    `tasks` has one task a line (`title | exit criterion`). Behind an evaluation gate (`gate_key`) the stage is a fix
    stage with an evaluation of its own; without one it stands at the plan's end.
    """
    work = new_tasks(tasks)
    if not name.strip():
        raise InvalidInput("The stage needs a name, for example “fix auth race”.", field="name")
    if not work:
        raise InvalidInput("Name at least one task, one a line.", field="tasks")
    if workstream.status != WorkstreamStatus.ACTIVE:
        raise WrongState(f"{workstream} is {workstream.status}; stages are added to active workstreams.")
    newest = WorkflowVersion.objects.filter(workflow=workstream.version.workflow_id).order_by("-number")[0]
    plan = read_source(newest.source).plan
    if plan is None:
        raise WrongState(f"The text of version {newest.number} can no longer be read.")
    stage = NewStage(name, work, _position(workstream, gate_key), gate=bool(gate_key))
    return submit_plan(
        source=with_stage(newest.source, plan, stage).encode(),
        source_name=newest.source_name,
        actor=actor,
        now=now,
        workstream=workstream,
        change_reason=reason,
    )


def _position(workstream: Workstream, gate_key: str) -> int | None:
    if not gate_key:
        return None
    gate = Step.objects.select_related("thread__batch__stage").filter(version=workstream.version_id, key=gate_key)
    found = gate.first()
    return found.thread.batch.stage.position if found else None
