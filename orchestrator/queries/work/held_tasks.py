"""What an executor holds, with the tokens: enough to go on after everything else was forgotten (FR-027)."""

from typing import Final

from orchestrator.contract.attempts import HeldTask, HeldTasks
from orchestrator.core.plans.lanes import lane_worktree
from orchestrator.models import Assignment, Executor, WorkPlace
from orchestrator.queries.handoff.upstream import output_place
from orchestrator.queries.work.attempt_facts import budget_spent, what_holds
from orchestrator.queries.work.places import path_of
from orchestrator.queries.work.proof import criteria_to_prove, verification_facts

#: Criteria that are named of each, and characters of its breadcrumb; the brief has all.
PROOFS: Final = 20
SHORT: Final = 300


def held_tasks(executor: Executor, *, limit: int, offset: int) -> HeldTasks:
    """What the executor holds, the newest claim first, with what every further call needs."""
    rows = Assignment.objects.filter(executor=executor, released_at=None).order_by("-claimed_at", "-pk")
    page = rows.select_related(
        "attempt__task__workstream",
        "attempt__verification",
        "attempt__place",
        "attempt__task__step__thread__batch__stage",
    ).defer("attempt__verification__outputs")
    return HeldTasks(rows.count(), tuple(_held(row) for row in page[offset : offset + limit]))


def _held(row: Assignment) -> HeldTask:
    task = row.attempt.task
    place: WorkPlace | None = getattr(row.attempt, "place", None)
    proofs = tuple(f"{one.pk}: {one.text}" for one in criteria_to_prove(task))
    return HeldTask(
        attempt=row.attempt_id,
        token=row.token,
        task=task.pk,
        key=task.step.key,
        title=task.step.title,
        workstream=task.workstream.slug,
        since=row.claimed_at,
        breadcrumb=task.breadcrumb[:SHORT],
        heard_at=task.heard_at,
        to_prove=proofs[:PROOFS],
        outputs_folder=f"{output_place(task.workstream, task.step).folder}/",
        brief=f"/api/tasks/{task.pk}/",
        verification=verification_facts(row.attempt),
        held=what_holds(task, running=True),
        spent=budget_spent(task),
        worktree=lane_worktree(place.folder) if place else "",
        path=path_of(place, task.workstream.slug) if place else "",
        branch=place.branch if place else "",
        base=place.base if place else "",
    )
