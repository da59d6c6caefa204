"""What can change about a workflow outside its versions (FR-001, DC-4)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput
from orchestrator.core.people.roles import APPROVERS, DOERS
from orchestrator.core.plans.checks.shape import LONGEST
from orchestrator.core.plans.text.front_matter import MOST_APPROVALS
from orchestrator.models import Workflow
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.history import record, tells_of
from orchestrator.services.base.locks import Lock, lock_workflow
from orchestrator.services.base.unit_of_work import unit_of_work

#: Characters of all paths that take proof only.
PROOF_PATHS_LENGTH = 500


@act(
    roles=APPROVERS,
    locks=(Lock.WORKFLOW,),
    records=(Action.WORKFLOW_CHANGED,),
)
def change_workflow(
    *,
    workflow_id: int,
    name: str,
    domain: str,
    allow_self_approval: bool,
    required_approvals: int,
    demands_proof: bool,
    proof_roles: str = "",
    proof_paths: str = "",
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> Workflow:
    """Name, domain, the rules of approval, and which completions take proof only (BX-9): all, those of steps
    with some roles, those of steps that own files below some paths; history keeps the old and the new values.

    Locks the workflow row.
    """
    if not name.strip():
        raise InvalidInput("A workflow has a name.", field="name")
    for field, text in (("name", name), ("domain", domain)):
        if len(text.strip()) > LONGEST[field]:
            raise InvalidInput(
                f"The {field} of a workflow has at most {LONGEST[field]} characters.", field=field
            )
    if not 1 <= required_approvals <= MOST_APPROVALS:
        raise InvalidInput(f"A version needs 1 to {MOST_APPROVALS} approvals.", field="required_approvals")
    new = {
        "name": name.strip(),
        "domain": domain.strip(),
        "allow_self_approval": allow_self_approval,
        "required_approvals": required_approvals,
        "demands_proof": demands_proof,
        "proof_roles": ", ".join(_proof_roles(proof_roles)),
        "proof_paths": _proof_paths(proof_paths),
    }
    with unit_of_work():
        workflow = lock_workflow(workflow_id)
        old = {field: getattr(workflow, field) for field in new}
        if old != new:
            Workflow.objects.filter(pk=workflow_id).update(**new)
            tells_of(Workflow, [workflow_id], **new)
            record(
                workstream=None,
                actor=actor,
                action=Action.WORKFLOW_CHANGED,
                subject=workflow.slug,
                reason=reason,
                data={"from": old, "to": new},
                now=now,
            )
    workflow.refresh_from_db()
    return workflow


def _proof_roles(text: str) -> list[str]:
    """Names with commas between, as roles that do steps."""
    names = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if unknown := sorted(set(names) - DOERS):
        raise InvalidInput(
            f"{unknown[0][:60]} is no role that does steps; those are {', '.join(sorted(DOERS))}.",
            field="proof_roles",
        )
    return names


def _proof_paths(text: str) -> str:
    """Globs with commas between, once each."""
    paths = ", ".join(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if len(paths) > PROOF_PATHS_LENGTH:
        raise InvalidInput(f"The paths have at most {PROOF_PATHS_LENGTH} characters.", field="proof_paths")
    return paths
