"""Blockers: declared impediments with a class, an owner and an end (FR-012)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.lifecycles import resting_status
from orchestrator.core.errors import AlreadyDecided, InvalidInput, NotFound, Refusal, WrongState
from orchestrator.core.people.roles import WORKERS
from orchestrator.core.terms import TERMINAL_TASK, AttemptStatus, BlockerKind, Scope, TaskStatus
from orchestrator.models import Blocker, Task
from orchestrator.models.work.attempt import LIVE
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, locked_task
from orchestrator.services.base.progress import count_blockers, settle
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.people.ownership import person


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    reason=why("note", "A blocker says what is in the way."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.BLOCKER_DECLARED,),
)
def declare_blocker(
    *, task_id: int, kind: str, note: str, actor: Actor, now: datetime, owner: str = ""
) -> Blocker:
    """Say that a task cannot go on and why.

    `owner` is the user name of whoever sees to it, or else who declares it.
    """
    if kind not in set(BlockerKind):
        raise InvalidInput(
            f"{kind!r} is not a class of blocker; use one of {', '.join(BlockerKind)}.", field="kind"
        )
    owned_by = person(owner, "owner") if owner.strip() else actor.account
    with unit_of_work():
        task = locked_task(task_id)
        if refusal := why_not_block(task, actor):
            raise refusal
        blocker = Blocker.objects.create(
            task=task,
            kind=kind,
            note=note,
            owner=owned_by,
            declared_by=actor.account,
            declared_as=actor.label,
            declared_at=now,
        )
        count_blockers(task.workstream, 1)
        _rest(task, blocker, actor, Action.BLOCKER_DECLARED, note, now)
    return blocker


def why_not_block(task: Task, actor: Actor) -> Refusal | None:
    """Why this actor may not declare a blocker of this task."""
    if TaskStatus(task.status) in TERMINAL_TASK:
        return WrongState(f"{task.step.key} is {task.status}; nothing can block it.")
    return declare_blocker.why_not(actor)


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    reason=why("resolution", "Say how the blocker was resolved."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.BLOCKER_RESOLVED,),
)
def resolve_blocker(*, blocker_id: int, resolution: str, actor: Actor, now: datetime) -> Blocker:
    """Close a blocker with what resolved it; the task goes on where it stood."""
    with unit_of_work():
        task_id = Blocker.objects.filter(pk=blocker_id).values_list("task_id", flat=True).first()
        if task_id is None:
            raise NotFound("There is no such blocker.")
        task = locked_task(task_id)
        blocker = Blocker.objects.get(pk=blocker_id)
        if blocker.resolved_at is not None:
            raise AlreadyDecided(
                f"The blocker was resolved already, by {blocker.resolved_as}: {blocker.resolution}",
                at=blocker.resolved_at.isoformat(),
            )
        blocker.resolution, blocker.resolved_at = resolution, now
        blocker.resolved_by, blocker.resolved_as = actor.account, actor.label
        blocker.save(update_fields=["resolution", "resolved_by", "resolved_as", "resolved_at"])
        count_blockers(task.workstream, -1)
        _rest(task, blocker, actor, Action.BLOCKER_RESOLVED, resolution, now)
    return blocker


def _rest(task: Task, blocker: Blocker, actor: Actor, action: Action, reason: str, now: datetime) -> None:
    if TaskStatus(task.status) not in TERMINAL_TASK:
        task.status = _resting(task)
    record(
        workstream=task.workstream,
        actor=actor,
        action=action,
        subject=task.step.key,
        reason=reason,
        now=now,
        data={
            "task": task.step.key,
            "blocker": blocker.pk,
            "kind": blocker.kind,
            "owner": blocker.owner.get_username(),
            "status": task.status,
        },
    )
    settle(task, now)
    wake(task.workstream_id)


def _resting(task: Task) -> TaskStatus:
    live = task.attempts.filter(status__in=LIVE).first()
    last = task.attempts.order_by("-number").first()
    return resting_status(
        gate=task.step.is_gate,
        live=AttemptStatus(live.status) if live else None,
        failed=last is not None and last.status == AttemptStatus.FAILED and last.followed_up_at is None,
        blocked=task.blockers.filter(resolved_at=None).exists(),
    )
