"""Tasks: find, read the brief, flag for a person, clear, re-queue (LC-6, WF-4)."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.briefs import Brief, BriefQuery, Orientation
from orchestrator.contract.tasks import HumanAnswer, HumanFlag, Requeue, TaskChange, TaskList, TaskQuery
from orchestrator.contract.values import StatedReason
from orchestrator.contract.why import WhyFacts
from orchestrator.core.terms import Scope
from orchestrator.queries.work.briefs import brief, part_of_brief, whole_brief
from orchestrator.queries.work.continuing_text import orientation
from orchestrator.queries.work.task_facts import TaskFilter, list_tasks
from orchestrator.queries.work.tasks import task_row
from orchestrator.services.freeing import why_task
from orchestrator.services.people import interventions
from orchestrator.services.work import failures, rework

router = Routes(tags=["tasks"])


@router.get("/", response=TaskList, url_name="tasks")
@needs(Scope.READ)
def listing(request: HttpRequest, query: Query[TaskQuery]) -> TaskList:
    """In launch order; `claimable=true` keeps the tasks whose attempt the caller can claim now."""
    caller = caller_of(request)
    wanted = TaskFilter(
        needs_human=query.needs_human,
        status=query.status,
        workstream=query.workstream,
        claimable=query.claimable,
        claimer=caller.claimer,
        roles=caller.actor.roles(),
    )
    return list_tasks(wanted, limit=query.limit, offset=query.offset)


@router.get("/{int:task_id}/", response=Brief, url_name="task")
@needs(Scope.READ)
def inspect(request: HttpRequest, task_id: int) -> Brief:
    """The brief: definition, criteria with ids, breadcrumb, earlier attempts, upstream artifacts, answers."""
    return brief(task_id)


@router.get("/{int:task_id}/brief", response=Brief)
@needs(Scope.READ)
def whole(request: HttpRequest, task_id: int, query: Query[BriefQuery]) -> Brief:
    """The whole brief, with the entries of each of its lists that `offset` and `limit` choose."""
    return part_of_brief(whole_brief(task_id), limit=query.limit, offset=query.offset)


@router.get("/{int:task_id}/continue", response=Orientation)
@needs(Scope.READ)
def continuing(request: HttpRequest, task_id: int) -> Orientation:
    """What the next executor needs after an interruption.

    The brief, breadcrumbs, earlier attempts, what to prove.
    """
    return orientation(task_id)


@router.get("/{int:task_id}/why/", response=WhyFacts, url_name="task-why")
@needs(Scope.READ)
def why(request: HttpRequest, task_id: int) -> WhyFacts:
    """Why the task is not moving (FR-015).

    The chain of what waits for what to its root, since when, who can free it, and what waits behind it.
    """
    task = task_row(task_id)
    return why_task(task.workstream, task.step.key, timezone.now())


@router.patch("/{int:task_id}/", response=Brief)
@act(interventions.flag_for_human, interventions.clear_human_flag)
def change(request: HttpRequest, task_id: int, body: TaskChange) -> Brief:
    """`needs_human` true flags the task and needs an intervention note; false clears the flag."""
    actor, now = caller_of(request).actor, timezone.now()
    if body.needs_human:
        interventions.flag_for_human(
            task_id=task_id, note=body.intervention_note, choices=body.choices, actor=actor, now=now
        )
    else:
        interventions.clear_human_flag(
            task_id=task_id, answer=body.answer, question=body.question, actor=actor, now=now
        )
    return brief(task_id)


@router.post("/{int:task_id}/flag", response=Brief)
@act(interventions.flag_for_human)
def flag(request: HttpRequest, task_id: int, body: HumanFlag) -> Brief:
    interventions.flag_for_human(
        task_id=task_id,
        note=body.intervention_note,
        choices=body.choices,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return brief(task_id)


@router.post("/{int:task_id}/clear", response=Brief)
@act(interventions.clear_human_flag)
def clear(request: HttpRequest, task_id: int, body: HumanAnswer) -> Brief:
    interventions.clear_human_flag(
        task_id=task_id,
        answer=body.answer,
        question=body.question,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return brief(task_id)


@router.post("/{int:task_id}/requeue", response=Brief)
@act(failures.requeue)
def requeue(request: HttpRequest, task_id: int, body: Requeue) -> Brief:
    """Ask for another attempt after a failure."""
    failures.requeue(
        task_id=task_id,
        reason=body.reason,
        seen=body.attempt_id,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return brief(task_id)


@router.post("/{int:task_id}/send-back", response=Brief)
@act(rework.send_back)
def send_back(request: HttpRequest, task_id: int, body: StatedReason) -> Brief:
    """Return work to a completed task.

    It and everything after it is done again, with every criterion proved anew.
    """
    rework.send_back(task_id=task_id, reason=body.reason, actor=caller_of(request).actor, now=timezone.now())
    return brief(task_id)
