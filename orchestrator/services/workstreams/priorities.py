"""Priority: which workstream goes first where several could (AD-3, design section 3)."""

from datetime import datetime
from typing import Final

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, Refusal, WrongState
from orchestrator.core.people.roles import SUBMITTERS
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import Scope
from orchestrator.models import Workstream
from orchestrator.queries.plans.readings import plan_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.progress import touch
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake

#: The largest priority in either direction, as in the front matter of a plan.
MOST: Final = 999_999
#: What is said of a workstream that was accepted or archived.
NOTHING_TO_CHANGE: Final = "Nothing of it is launched any more, unless it is re-opened."


@act(
    roles=SUBMITTERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why the priority changes."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.PRIORITY_SET,),
)
def set_priority(
    *, workstream_id: int, priority: int, reason: str, actor: Actor, now: datetime
) -> Workstream:
    """Put a workstream before or behind others; a higher number goes first. Locks the workstream.

    It holds until a later version of the plan changes the priority that the plan itself gives.
    """
    if not -MOST <= priority <= MOST:
        raise InvalidInput(f"A priority is a whole number from -{MOST} to {MOST}.", field="priority")
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if refusal := why_not_set_priority(workstream, actor):
            raise refusal
        before = workstream.priority
        workstream.priority = priority
        touch(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.PRIORITY_SET,
            subject=f"{before} to {priority}",
            reason=reason,
            now=now,
            data={"from": before, "to": priority},
        )
        wake(workstream.pk)
    return workstream


def why_not_set_priority(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not change the priority: the workstream is closed, or their role."""
    if not workstream.is_open:
        return WrongState(
            f"{workstream} is {workstream.status}; its priority no longer matters.",
            recovery=NOTHING_TO_CHANGE,
        )
    return set_priority.why_not(actor)


def priority_under(workstream: Workstream, plan: Plan) -> int:
    """The priority once `plan` follows the workstream's version.

    A set one stays unless the plan changed its own.
    """
    before = plan_of(workstream.version).priority
    return workstream.priority if plan.priority == before else plan.priority
