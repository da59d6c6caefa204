"""Other budgets than the plan's: what a person decides when one is used up (FR-013, EC-6)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.budgets import EXAMPLE, NO_BUDGET, STOP, Budget, reached, read_budget, stopped
from orchestrator.core.errors import InvalidInput, Refusal
from orchestrator.core.people.roles import SUBMITTERS
from orchestrator.core.terms import InterventionKind
from orchestrator.models import Task, Workstream
from orchestrator.queries.base.used import used_for, used_in
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import lacking
from orchestrator.services.base.history import record
from orchestrator.services.base.progress import judge_afresh, save_later


def why_not_decide(actor: Actor) -> Refusal | None:
    """Why this actor may not decide about budgets."""
    return lacking(actor, SUBMITTERS)


def decide_budget(kind: str, task: Task, answer: str, actor: Actor, now: datetime) -> None:
    """What the answer to a question about a budget does, behind the workstream's lock: another budget, none
    any more, or to stop. The caller closes the question. InvalidInput for what is none of it, and for a
    budget that is used up already."""
    if answer.strip().lower() == STOP and kind == InterventionKind.PLAN_BUDGET:
        workstream = task.workstream
        workstream.over_budget = stopped(workstream.over_budget, actor.label)
        save_later(workstream)
        return
    try:
        budget = read_budget(answer)
    except InvalidInput as refusal:
        refusal.way_out = f"Answer with one of the choices, or with a budget such as `{EXAMPLE}`."
        raise
    if kind == InterventionKind.PLAN_BUDGET:
        give_plan(task.workstream, budget, answer, actor, now)
    else:
        _give_step(task, budget, answer, actor, now)


def give_plan(workstream: Workstream, budget: Budget, reason: str, actor: Actor, now: datetime) -> None:
    """Set the budget of a locked workstream; it holds the workstream no longer. The caller wakes it."""
    if gone := reached(budget, used_in(workstream)):
        raise _too_small(budget, gone)
    before = workstream.budget or workstream.version.budget
    workstream.budget = budget.line or NO_BUDGET
    workstream.over_budget, workstream.over_budget_at = "", None
    judge_afresh(workstream)
    save_later(workstream)
    _record(workstream, "", before, workstream.budget, reason, actor, now)


def _give_step(task: Task, budget: Budget, reason: str, actor: Actor, now: datetime) -> None:
    if gone := reached(budget, used_for(task)):
        raise _too_small(budget, gone)
    before, task.budget = task.budget or task.step.budget, budget.line or NO_BUDGET
    _record(task.workstream, task.step.key, before, task.budget, reason, actor, now)


def _too_small(budget: Budget, gone: tuple[str, ...]) -> InvalidInput:
    return InvalidInput(
        f"A budget of {budget.line} is used up already: {'; '.join(gone)}.",
        recovery="Give more than what was used.",
        field="budget",
    )


def _record(
    workstream: Workstream, key: str, before: str, after: str, reason: str, actor: Actor, now: datetime
) -> None:
    whose = key or "the plan"
    record(
        workstream=workstream,
        actor=actor,
        action=Action.BUDGET_SET,
        subject=f"{whose}: {before or NO_BUDGET} to {after}",
        reason=reason,
        now=now,
        data={"task": key, "from": before, "to": after},
    )
