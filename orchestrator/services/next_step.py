"""The next step: the first attempt that an executor may do, claimed, or waited for (FR-027, FR-028)."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from orchestrator.core.errors import (
    AlreadyClaimed,
    AssignedElsewhere,
    ExecutorBusy,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refusal,
    WrongExecutor,
    WrongState,
)
from orchestrator.core.limits import WAIT_SECONDS
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import Scope
from orchestrator.models import Assignment, Executor
from orchestrator.queries.work.work import Wanted, free_attempts
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.steps import once
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.work import claims
from orchestrator.services.work.waiting_room import ROOM, TURNS

#: What may become of an attempt between finding it free and claiming it.
LOST: tuple[type[Refusal], ...] = (
    *(AlreadyClaimed, AssignedElsewhere, NotAllowed, NotFound, WrongExecutor, WrongState),
)


class NextStep(NamedTuple):
    """`again`: the executor held it already. `crowded`: too many wait in this process, so this one did
    not."""

    assignment: Assignment | None
    again: bool = False
    crowded: bool = False


class _NothingFree(Exception):
    """The workstream has nothing for this executor: the step leaves no note under its key."""


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    only="the role that the step asks for, the kind of executor that its tool asks for",
    locks=(Lock.WORKSTREAM, Lock.EXECUTOR),
    in_steps=True,
)
def claim_next(
    *, executor: Executor, actor: Actor, wanted: Wanted, seconds: int, clock: Callable[[], datetime]
) -> NextStep:
    """Claim the first attempt in the scheduler's order that this executor may do, or wait so many seconds for
    one.

    Who runs something already, and may run one thing only, gets that again with its token. Behind the lock of
    its workstream an attempt cannot be lost to somebody else, so executors that ask at once do not refuse one
    another.
    """
    if not 0 <= seconds <= WAIT_SECONDS:
        raise InvalidInput(f"wait: 0 to {WAIT_SECONDS} seconds.", field="wait")
    found = _held(executor, actor, clock()) or _first(executor, actor, wanted, clock())
    if found or not seconds:
        return found or NextStep(None)
    until = time.monotonic() + seconds
    with ROOM.seat() as seat:
        if seat is None:
            return NextStep(None, crowded=True)
        while True:
            seat.listen()
            if found := _first(executor, actor, wanted, clock()):
                return found
            if not seat.wait(until):
                return NextStep(None)


def _held(executor: Executor, actor: Actor, now: datetime) -> NextStep | None:
    """What an agent or a tool runs already; claimed once more, it is the same claim."""
    if executor.is_person:
        return None
    held = executor.assignments.filter(released_at=None).values_list("attempt", flat=True).first()
    if held is None:
        return None
    return NextStep(claims.claim(attempt_id=held, executor=executor, actor=actor, now=now), again=True)


def _first(executor: Executor, actor: Actor, wanted: Wanted, now: datetime) -> NextStep | None:
    """The first free attempt of the first workstream that has one."""
    with TURNS.turn():
        return _first_in_turn(executor, actor, wanted, now)


def _first_in_turn(executor: Executor, actor: Actor, wanted: Wanted, now: datetime) -> NextStep | None:
    passed: set[int] = set()
    while True:
        free = free_attempts(executor, wanted).exclude(task__workstream__in=passed)
        workstream = free.values_list("task__workstream", flat=True).first()
        if workstream is None:
            return None
        try:
            number = once("claimed", lambda pk=workstream: _claimed(pk, executor, actor, wanted, now))  # type: ignore[misc]
        except _NothingFree:
            passed.add(workstream)
        except ExecutorBusy:
            return _held(executor, actor, now)
        else:
            return NextStep(Assignment.objects.select_related("attempt__task").get(pk=number))


def _claimed(workstream_id: int, executor: Executor, actor: Actor, wanted: Wanted, now: datetime) -> int:
    """The id of the claim of the first attempt that is free behind the workstream's lock."""
    lost: set[int] = set()
    with unit_of_work():
        locked_workstream(workstream_id)
        free = free_attempts(executor, wanted).filter(task__workstream=workstream_id)
        while (attempt := free.exclude(pk__in=lost).values_list("pk", flat=True).first()) is not None:
            try:
                return claims.claim(attempt_id=attempt, executor=executor, actor=actor, now=now).pk
            except LOST:
                lost.add(attempt)
    raise _NothingFree
