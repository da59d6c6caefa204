"""Budgets at work: what an executor says it used is held against them, and a person is asked when one is used
up (FR-013, EC-6).

Nobody measures what is used, so a budget stops work at the first word that reaches it. What runs may end: its
result is paid for. A question about a step's budget stands on its task, one about the plan's on the task
whose word reached it, or on another one where that asks something already.
"""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.budgets import Budget, answers, is_stopped, question, reached
from orchestrator.core.engine.usage import NOTHING, Usage
from orchestrator.core.terms import TERMINAL_TASK, InterventionKind, StepKind, TaskStatus
from orchestrator.models import Intervention, Task
from orchestrator.queries.base.used import plan_budget, step_budget, used_for, used_in
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.history import record
from orchestrator.services.base.progress import judge_afresh, save_later, settle
from orchestrator.services.base.wake import wake
from orchestrator.services.people.interventions import close_intervention, open_intervention


def judge_budgets(task: Task, more: Usage, now: datetime) -> None:
    """Ask a person where `more`, which an executor just said of a locked task, reaches a budget. The caller
    settles the task afterwards. Costs nothing where nothing was said, or no budget is given."""
    if more == NOTHING:
        return
    if budget := plan_budget(task.workstream):
        _judge_plan(task, budget, now)
    if (budget := step_budget(task)) and TaskStatus(task.status) not in TERMINAL_TASK:
        _judge_step(task, budget, now)


def ask_on(task: Task, now: datetime) -> None:
    """Ask once more about the plan's budget on another task, where a failure of this locked one has closed
    the question and nobody has answered it."""
    workstream = task.workstream
    if not workstream.over_budget or is_stopped(workstream.over_budget):
        return
    open_ones = Intervention.objects.filter(task__workstream=workstream, cleared_at=None)
    if not open_ones.filter(kind=InterventionKind.PLAN_BUDGET).exists():
        _ask_about_plan(task, plan_budget(workstream), now)


def overtake_budget(task: Task, said: str, actor: Actor, now: datetime) -> None:
    """Close the question about the budget of a locked task that needs no more of it; the caller settles."""
    if not task.needs_human:
        return
    asked = task.interventions.filter(kind=InterventionKind.BUDGET, cleared_at=None).first()
    if asked is not None:
        close_intervention(asked, task, said, actor, now)


def _judge_plan(task: Task, budget: Budget, now: datetime) -> None:
    workstream = task.workstream
    gone = () if workstream.over_budget else reached(budget, used_in(workstream))
    if not gone:
        return
    workstream.over_budget, workstream.over_budget_at = "; ".join(gone), now
    judge_afresh(workstream)
    save_later(workstream)
    _record(task, "the plan", gone, now)
    wake(workstream.pk)
    _ask_about_plan(task, budget, now)


def _ask_about_plan(task: Task, budget: Budget, now: datetime) -> None:
    used = used_in(task.workstream)
    asked = task if not task.needs_human else _another(task)
    if asked is None:
        return
    note = question("the plan", reached(budget, used), whole=True)
    offered = answers(budget, used, stops=True)
    open_intervention(asked, InterventionKind.PLAN_BUDGET, note, ORCHESTRATOR, now, offered)
    if asked is not task:
        settle(asked, now)


def _judge_step(task: Task, budget: Budget, now: datetime) -> None:
    used = used_for(task)
    gone = reached(budget, used)
    if not gone or task.needs_human:
        return
    _record(task, task.step.key, gone, now)
    note = question(task.step.key, gone, whole=False)
    offered = answers(budget, used, stops=False)
    open_intervention(task, InterventionKind.BUDGET, note, ORCHESTRATOR, now, offered)


def _another(task: Task) -> Task | None:
    """A task of the workstream that asks nothing, an open one if there is one."""
    rows = Task.objects.filter(workstream=task.workstream, needs_human=False, step__kind=StepKind.WORK)
    found = rows.select_related("step").order_by("open_batch", "pk").first()
    if found is not None:
        found.workstream = task.workstream
    return found


def _record(task: Task, whose: str, gone: tuple[str, ...], now: datetime) -> None:
    record(
        workstream=task.workstream,
        actor=ORCHESTRATOR,
        action=Action.BUDGET_USED_UP,
        subject=whose,
        reason="; ".join(gone),
        now=now,
        data={"task": task.step.key, "whole": whose != task.step.key, "used": list(gone)},
    )
