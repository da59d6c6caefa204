"""Ownership: who answers for a workstream, a task or a blocker, and how that passed on (FR-011)."""

from datetime import datetime

from django.contrib.auth.models import User

from orchestrator.core.actions import Action
from orchestrator.core.errors import AlreadyDecided, InvalidInput, NotFound, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import ExecutorKind, Scope, WorkstreamStatus
from orchestrator.models import Blocker, Executor, OwnershipTransfer, Task, Workstream
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, locked_task, locked_workstream
from orchestrator.services.base.progress import settle, touch
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake


def person(name: str, field: str) -> User:
    """The active account of that user name; InvalidInput names the field when there is none."""
    user = User.objects.filter(username=name.strip(), is_active=True).first()
    if user is None:
        raise InvalidInput(f"There is no active account {name.strip()!r}.", field=field)
    return user


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=why("reason", "Say why it passes to somebody else."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.OWNERSHIP_TRANSFERRED,),
)
def transfer_task(*, task_id: int, to: str, reason: str, actor: Actor, now: datetime) -> OwnershipTransfer:
    """Make the person named `to` answer for a task. WrongState when they do already."""
    owner = person(to, "to")
    with unit_of_work():
        task = locked_task(task_id)
        _refuse_same(task.owner, owner, task.step.key)
        transfer = _pass_on(task.workstream, owner, reason, actor, now, task=task)
        settle(task, now)
        wake(task.workstream_id)
    return transfer


@act(
    roles=PARTICIPANTS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why it passes to somebody else."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.OWNERSHIP_TRANSFERRED,),
)
def transfer_workstream(
    *, workstream_id: int, to: str, reason: str, actor: Actor, now: datetime
) -> OwnershipTransfer:
    """Make the person named `to` answer for a workstream that is not archived."""
    owner = person(to, "to")
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if workstream.status == WorkstreamStatus.ARCHIVED:
            raise WrongState(f"{workstream} is archived; its owner no longer changes.")
        _refuse_same(workstream.owner, owner, workstream.title)
        transfer = _pass_on(workstream, owner, reason, actor, now)
        wake(workstream.pk)
    return transfer


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    reason=why("reason", "Say why it passes to somebody else."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.OWNERSHIP_TRANSFERRED,),
)
def transfer_blocker(
    *, blocker_id: int, to: str, reason: str, actor: Actor, now: datetime
) -> OwnershipTransfer:
    """Make the person named `to` see to an open blocker."""
    owner = person(to, "to")
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
        _refuse_same(blocker.owner, owner, "the blocker")
        transfer = _pass_on(task.workstream, owner, reason, actor, now, task=task, blocker=blocker)
        wake(task.workstream_id)
    return transfer


def own_unowned(task: Task, executor: Executor, actor: Actor, now: datetime) -> None:
    """A person who claims a task that nobody owns becomes its owner; the caller holds the lock and settles
    the task.

    An agent's claim makes no owner: its assignment already says who works, and a person has to answer for the
    task.
    """
    if task.owner_id is None and executor.kind == ExecutorKind.PERSON:
        _pass_on(task.workstream, executor.user, "Claimed it while nobody owned it.", actor, now, task=task)


def _refuse_same(before: User | None, owner: User, what: str) -> None:
    if before == owner:
        raise WrongState(f"{owner.get_username()} owns {what} already.")


def _pass_on(
    workstream: Workstream,
    owner: User,
    reason: str,
    actor: Actor,
    now: datetime,
    task: Task | None = None,
    blocker: Blocker | None = None,
) -> OwnershipTransfer:
    """Write the new owner into the row that it belongs to, with its entry in the log and in the history."""
    owned = blocker or task or workstream
    before, owned.owner = owned.owner, owner
    kind = "task" if task else "workstream"
    if blocker:
        blocker.save(update_fields=["owner"])
    elif task is None:
        touch(workstream, now)  # a task is settled by who calls
    record(
        workstream=workstream,
        actor=actor,
        action=Action.OWNERSHIP_TRANSFERRED,
        subject=task.step.key if task else workstream.slug,
        reason=reason,
        now=now,
        data={
            "of": "blocker" if blocker else kind,
            "blocker": blocker.pk if blocker else 0,
            "from": before.get_username() if before else "",
            "to": owner.get_username(),
        },
    )
    return OwnershipTransfer.objects.create(
        workstream=workstream,
        task=task,
        blocker=blocker,
        from_user=before,
        to_user=owner,
        reason=reason.strip(),
        transferred_by=actor.account,
        transferred_as=actor.label,
        transferred_at=now,
    )
