"""The budget of a workstream, set by a person instead of the plan's (FR-013)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.budgets import NO_BUDGET, reached, read_budget
from orchestrator.core.errors import Refusal, WrongState
from orchestrator.core.people.roles import SUBMITTERS
from orchestrator.core.terms import InterventionKind, Scope
from orchestrator.models import Intervention, Workstream
from orchestrator.queries.base.used import plan_budget, used_in
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.people.budget_decisions import give_plan
from orchestrator.services.people.interventions import close_intervention
from orchestrator.services.workstreams.priorities import NOTHING_TO_CHANGE


@act(
    roles=SUBMITTERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why the budget changes."),
    person="A budget is decided by a person.",
    locks=(Lock.WORKSTREAM,),
    records=(Action.BUDGET_SET, Action.INTERVENTION_DONE),
)
def set_budget(*, workstream_id: int, budget: str, reason: str, actor: Actor, now: datetime) -> Workstream:
    """Set what all steps of a workstream may use together, such as `2,000,000 tokens, 20 USD, 3 h`, or `no
    budget`. InvalidInput for less than was used.

    It holds until a version of the plan changes the budget that the plan itself gives. A question that is
    open about the budget is answered by it.
    """
    given = read_budget(budget)
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if refusal := why_not_set_budget(workstream, actor):
            raise refusal
        give_plan(workstream, given, reason, actor, now)
        _answer(workstream, actor, now)
        wake(workstream.pk)
    return workstream


def why_not_set_budget(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not change the budget: the workstream is closed, or their role."""
    if not workstream.is_open:
        return WrongState(
            f"{workstream} is {workstream.status}; its budget no longer matters.", recovery=NOTHING_TO_CHANGE
        )
    return set_budget.why_not(actor)


def follow_budget(workstream: Workstream, before: str, actor: Actor, now: datetime) -> None:
    """A locked workstream follows a version now, after one whose budget was `before`: what a person set stays
    unless the plan changed its own. One that was used up holds the work no longer where the new one is not.
    The caller saves."""
    if workstream.version.budget != before:
        workstream.budget = ""
    if workstream.over_budget and not reached(plan_budget(workstream), used_in(workstream)):
        workstream.over_budget, workstream.over_budget_at = "", None
        _answer(workstream, actor, now)


def _answer(workstream: Workstream, actor: Actor, now: datetime) -> None:
    open_ones = Intervention.objects.filter(
        task__workstream=workstream, kind=InterventionKind.PLAN_BUDGET, cleared_at=None
    )
    for asked in open_ones.select_related("task__step"):
        asked.task.workstream = workstream
        said = workstream.budget or workstream.version.budget or NO_BUDGET
        close_intervention(asked, asked.task, said, actor, now)
        settle(asked.task, now)
