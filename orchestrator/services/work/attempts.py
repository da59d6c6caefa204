"""The rows of an attempt behind its workstream's lock: what claims, completions and failures
share (FR-027).
"""

from collections.abc import Mapping
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import HeldBack, NotFound, StaleToken, WrongState
from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, Attempt, Blocker, Executor, Task
from orchestrator.queries.base.roles import doers_of
from orchestrator.queries.engine.held import lost_before
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import lacking
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import locked_task


def locked_attempt(attempt_id: int) -> Attempt:
    task_id = Attempt.objects.filter(pk=attempt_id).values_list("task_id", flat=True).first()
    if task_id is None:
        raise NotFound("There is no such attempt.")
    task = locked_task(task_id)
    attempt = Attempt.objects.get(pk=attempt_id)
    attempt.task = task
    return attempt


def held_attempt(attempt_id: int, token: int, executor: Executor) -> Attempt:
    """The locked attempt, if this executor may do its step and holds it with this token."""
    attempt = locked_attempt(attempt_id)
    require_doer(attempt, Actor.member(executor))
    if stale := staleness(attempt, token, executor):
        raise stale
    return attempt


def require_doer(attempt: Attempt, actor: Actor) -> None:
    """NotAllowed for whoever lacks the role that the step asks for (`core/people/roles.py`)."""
    if refusal := lacking(actor, sorted(doers_of(attempt.task.step))):
        raise refusal


def staleness(attempt: Attempt, token: int, executor: Executor) -> StaleToken | None:
    held = Assignment.objects.filter(
        attempt=attempt, executor=executor, token=token, released_at=None
    ).exists()
    if held and attempt.status == AttemptStatus.RUNNING:
        return None
    return StaleToken(f"{executor.name} does not hold {attempt} with token {token}: it is {attempt.status}.")


def blocked(attempt: Attempt) -> bool:
    return Blocker.objects.filter(task=attempt.task, resolved_at=None).exists()


def refuse_held(task: Task) -> None:
    """HeldBack while what the launched task builds on is missing or altered (EC-3, F32)."""
    if lost := lost_before(task):
        raise HeldBack(f"{task.step.key} is {lost.sentence}.", path=lost.path, holder=lost.key)


def move(attempt: Attempt, old: AttemptStatus, new: AttemptStatus, **columns: object) -> None:
    """The conditional update that the unique constraints back up."""
    if Attempt.objects.filter(pk=attempt.pk, status=old).update(status=new, **columns) != 1:
        raise WrongState(f"{attempt} is no longer {old}.")
    attempt.refresh_from_db(fields=["status", *columns])


def end(attempt: Attempt, state: AttemptStatus, now: datetime) -> None:
    move(attempt, AttemptStatus.RUNNING, state, ended_at=now)
    Assignment.objects.filter(attempt=attempt).update(released_at=now, terminal_state=state)


def record_attempt(
    attempt: Attempt,
    actor: Actor,
    action: Action,
    now: datetime,
    reason: str = "",
    data: Mapping[str, object] | None = None,
) -> None:
    task = attempt.task
    record(
        workstream=task.workstream,
        actor=actor,
        action=action,
        subject=f"{task.step.key} attempt {attempt.number}",
        reason=reason,
        now=now,
        data={"attempt": attempt.pk, **(data or {})},
    )
