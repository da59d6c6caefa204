"""What machines read of an attempt: its state, and what its claim gave (FR-027)."""

from dataclasses import replace

from orchestrator.contract.attempts import AttemptFacts, ClaimFacts, SpentBudget
from orchestrator.contract.briefs import Shortened
from orchestrator.core.engine.budgets import reached, told_holder
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, Attempt, Task, WorkPlace
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.base.usage_facts import usage_facts
from orchestrator.queries.base.used import asks_about_budget, step_budget, used_for
from orchestrator.queries.engine.held import lost_before
from orchestrator.queries.work.briefs import brief_of
from orchestrator.queries.work.fitting import fitted
from orchestrator.queries.work.places import touched_of
from orchestrator.queries.work.proof import verification_facts
from orchestrator.queries.work.task_facts import whole_task


def attempt_facts(attempt_id: int) -> AttemptFacts:
    attempt = (
        Attempt.objects.select_related(
            "task__step", "task__workstream", "assignment__executor", "same_as", "place", "verification"
        )
        .defer("verification__outputs")
        .filter(pk=attempt_id)
        .first()
    )
    if attempt is None:
        raise NotFound("There is no such attempt.")
    return _facts(attempt)


def _facts(attempt: Attempt) -> AttemptFacts:
    """Of an attempt that was read with its task and with what belongs to it."""
    assignment: Assignment | None = getattr(attempt, "assignment", None)
    place: WorkPlace | None = getattr(attempt, "place", None)
    running = attempt.status == AttemptStatus.RUNNING
    held = what_holds(attempt.task, running=running) if attempt.status in LIVE else ""
    return AttemptFacts(
        id=attempt.pk,
        number=attempt.number,
        task=attempt.task_id,
        key=attempt.task.step.key,
        status=AttemptStatus(attempt.status),
        executor=assignment.executor.name if assignment else "",
        claimed_as=assignment.claimed_as if assignment else "",
        token=assignment.token if assignment else 0,
        breadcrumb=attempt.task.breadcrumb,
        heard_at=attempt.task.heard_at,
        outcome=attempt.outcome,
        result=attempt.result,
        proof=attempt.proof,
        error=attempt.error,
        commit=attempt.commit,
        committed=bool(place and place.committed),
        touched=tuple(touched_of([attempt.pk]).get(attempt.pk, ())) if attempt.base else (),
        held=held,
        spent=budget_spent(attempt.task) if running else None,
        same_as=attempt.same_as.number if attempt.same_as else None,
        verification=verification_facts(attempt),
        usage=usage_facts(attempt.used),
        queued_at=attempt.queued_at,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
    )


def what_holds(task: Task, *, running: bool) -> str:
    """What the task waits for, in a sentence; empty while nothing is in the way. A question about a budget is
    in no running attempt's way."""
    if lost := lost_before(task):
        return lost.sentence
    if not task.needs_human or (running and asks_about_budget(task)):
        return ""
    return f"A person is asked first: {task.intervention_note}"


def budget_spent(task: Task) -> SpentBudget | None:
    """The budget that is used up while an attempt at the task runs; that of its step before the plan's."""
    if (budget := step_budget(task)) and (gone := reached(budget, used_for(task))):
        return SpentBudget(False, told_holder(task.step.key, "; ".join(gone), whole=False))
    over = task.workstream.over_budget
    return SpentBudget(True, told_holder("", over, whole=True)) if over else None


def claim_facts(assignment: Assignment) -> ClaimFacts:
    """The claim with its brief, both together so short that they fit an agent's context."""
    task = whole_task(assignment.attempt.task_id)
    brief = brief_of(task)
    live: list[Attempt] = task.live  # type: ignore[attr-defined]
    claimed = next((one for one in live if one.pk == assignment.attempt_id), None)
    whole = ClaimFacts(
        attempt=_facts(claimed) if claimed else attempt_facts(assignment.attempt_id),
        token=assignment.token,
        criteria=brief.criteria,
        brief=replace(brief, criteria=()),
    )
    shown, left_out = fitted(whole)
    short = replace(shown.brief, left_out=tuple(_of_brief(one) for one in left_out))
    return replace(shown, brief=short)


def _of_brief(one: Shortened) -> Shortened:
    return replace(one, what=one.what.removeprefix("brief."))
