"""The rows of an attempt behind its workstream's lock: what claims, completions and failures share
(FR-027)."""

from collections.abc import Collection, Mapping
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import HeldBack, NotFound, Refusal, StaleToken, WrongExecutor, WrongState
from orchestrator.core.people.roles import suits
from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, Attempt, Blocker, Executor, Task
from orchestrator.queries.base.roles import doers_of
from orchestrator.queries.engine.held import lost_before
from orchestrator.queries.handoff.situation import NOBODY, Situation, situation_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import lacking
from orchestrator.services.base.history import record, tells, tells_of
from orchestrator.services.base.locks import locked_workstream_of_attempt, refuse_inactive
from orchestrator.services.base.progress import count_running
from orchestrator.services.base.rows import UpdateWhere

MISSING = "There is no such attempt."


def locked_attempt(attempt_id: int, executor: Executor | None = None) -> Situation:
    """The situation of an attempt, read behind its workstream's lock; the workstream must be active.

    `executor` is who might claim it. NotFound when there is no such attempt.
    """
    workstream = locked_workstream_of_attempt(attempt_id, MISSING)
    refuse_inactive(workstream)
    situation = situation_of(workstream, attempt_id, executor.pk if executor else NOBODY)
    if situation is None:
        raise NotFound(MISSING)
    return situation


def held_attempt(attempt_id: int, token: int, executor: Executor, actor: Actor) -> Situation:
    """The locked attempt, if who acts may do its step and the executor holds it with this token."""
    situation = locked_attempt(attempt_id)
    require_doer(situation.attempt, actor)
    if stale := staleness(situation, token, executor):
        raise stale
    return situation


def require_doer(attempt: Attempt, actor: Actor) -> None:
    """NotAllowed for whoever lacks the role that the step asks for (`core/people/roles.py`)."""
    if refusal := why_not_do(attempt.task, actor):
        raise refusal


def why_not_do(task: Task, actor: Actor) -> Refusal | None:
    """Why this actor does not do the step: it asks for a role that they lack."""
    return lacking(actor, sorted(doers_of(task.step)))


def refuse_unsuited(attempt: Attempt, executor: Executor, runs: Collection[str]) -> None:
    """WrongExecutor for an agent where the step is a tool's that it does not run."""
    step = attempt.task.step
    if not suits(executor.kind, step.tool, runs):
        said = f"{step.key} is done by the tool {step.tool}; {executor.name} acts as {executor.kind}."
        raise WrongExecutor(said, tool=step.tool)


def staleness(situation: Situation, token: int, executor: Executor) -> StaleToken | None:
    """Why the executor's token no longer counts; None while it holds the attempt with it."""
    attempt, held = situation.attempt, situation.assignment
    theirs = None if held is None or held.released_at else (held.executor_id, held.token)
    if theirs == (executor.pk, token) and attempt.status == AttemptStatus.RUNNING:
        return None
    return StaleToken(f"{executor.name} does not hold {attempt} with token {token}: it is {attempt.status}.")


def blocked(attempt: Attempt) -> bool:
    return Blocker.objects.filter(task=attempt.task, resolved_at=None).exists()


def why_held(task: Task, *, lost: bool) -> Refusal | None:
    """HeldBack while what the launched task builds on is missing or altered (EC-3, F32).

    `lost` is false where it is known that nothing is.
    """
    if lost and (before := lost_before(task)):
        return HeldBack(f"{task.step.key} is {before.sentence}.", path=before.path, holder=before.key)
    return None


def move(attempt: Attempt, old: AttemptStatus, new: AttemptStatus, **columns: object) -> None:
    """The conditional update that the unique constraints back up: an attempt's one write in an act."""
    columns["status"] = new.value
    if _update_attempt({"id": attempt.pk, "status": old.value}, **columns) != 1:
        raise WrongState(f"{attempt} is no longer {old}.")
    for column, value in columns.items():
        setattr(attempt, column, value)
    tells(attempt, *(_names[column] for column in columns))
    running = AttemptStatus.RUNNING
    count_running(attempt.task.workstream, (new is running) - (old is running))


def end(attempt: Attempt, state: AttemptStatus, now: datetime, **columns: object) -> None:
    """Write a running attempt's end, with what else came of it, and release its claim."""
    move(attempt, AttemptStatus.RUNNING, state, ended_at=now, **columns)
    released = {"released_at": now, "terminal_state": state.value}
    if _update_assignment({"attempt": attempt.pk}, **released):
        tells_of(Assignment, [attempt.pk], **released)


_names = {field.name: field.attname for field in Attempt._meta.concrete_fields}
_update_attempt, _update_assignment = UpdateWhere(Attempt), UpdateWhere(Assignment)


def named_in_history(attempt: Attempt) -> dict[str, object]:
    """How the data of an entry names an attempt: replay looks it up by its task's key and its number."""
    return {"task": attempt.task.step.key, "attempt": attempt.pk, "number": attempt.number}


def record_attempt(
    attempt: Attempt,
    actor: Actor,
    action: Action,
    now: datetime,
    reason: str = "",
    data: Mapping[str, object] | None = None,
) -> None:
    """Append an entry about an attempt to what the act says."""
    task = attempt.task
    record(
        workstream=task.workstream,
        actor=actor,
        action=action,
        subject=f"{task.step.key} attempt {attempt.number}",
        reason=reason,
        now=now,
        data={**named_in_history(attempt), **(data or {})},
    )
