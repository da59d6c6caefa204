"""The next step: the first attempt that an executor may do, claimed, or waited for (FR-027, FR-028)."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from orchestrator.core.errors import ExecutorBusy, InvalidInput
from orchestrator.core.limits import WAIT_SECONDS
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import Scope
from orchestrator.models import Assignment, Attempt, Executor, Task, Verification
from orchestrator.queries.base.sql import Joined, Table, link
from orchestrator.queries.work.work import Wanted
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.locks import Lock
from orchestrator.services.work.first_free import being_verified, claim_first, claim_held
from orchestrator.services.work.waiting_room import ROOM, TURNS

#: Seconds between two looks whether a verification that is waited for has ended.
VERIFYING_LOOK = 1.0


class NextStep(NamedTuple):
    """`again`: the executor held it already. `crowded`: too many wait in this process, so this one did
    not. `verifying`: what it holds is being verified, so that it has nothing to do for it now."""

    assignment: Assignment | None
    again: bool = False
    crowded: bool = False
    verifying: Verification | None = None


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

    Who runs something already, and may run one thing only, gets that again with its token, unless its
    completion is being verified: then that is waited for, and red gives it again. Behind the lock of
    its workstream an attempt cannot be lost to somebody else, so executors that ask at once do not refuse one
    another.
    """
    if not 0 <= seconds <= WAIT_SECONDS:
        raise InvalidInput(f"wait: 0 to {WAIT_SECONDS} seconds.", field="wait")
    found = _held(executor, actor, clock()) or _first(executor, actor, wanted, clock())
    if not seconds or (found and not found.verifying):
        return found or NextStep(None)
    until = time.monotonic() + seconds
    with ROOM.seat() as seat:
        if seat is None:
            return NextStep(None, crowded=True)
        while True:
            seat.listen()
            held = _held(executor, actor, clock()) if found else None
            found = held or _first(executor, actor, wanted, clock())
            if found and not found.verifying:
                return found
            pause = min(until, time.monotonic() + VERIFYING_LOOK) if found else until
            if not seat.wait(pause) and time.monotonic() >= until:
                return found or NextStep(None)


def _held(executor: Executor, actor: Actor, now: datetime) -> NextStep | None:
    if pending := being_verified(executor):
        return NextStep(None, verifying=pending)
    number = claim_held(executor, actor, now)
    return _step(number, again=True) if number is not None else None


def _first(executor: Executor, actor: Actor, wanted: Wanted, now: datetime) -> NextStep | None:
    with TURNS.turn():
        try:
            number = claim_first(executor, actor, wanted, now)
        except ExecutorBusy:
            return _held(executor, actor, now)
    return _step(number, again=False) if number is not None else None


def _step(number: int, *, again: bool) -> NextStep:
    found = _CLAIMED.rows(number)[0]
    assignment: Assignment = found["assignment"]
    link(assignment, "attempt", found["attempt"])
    link(found["attempt"], "task", found["task"])
    return NextStep(assignment, again=again)


_CLAIMED = Joined(
    {"assignment": Table(Assignment), "attempt": Table(Attempt), "task": Table(Task)},
    """orchestrator_assignment assignment
JOIN orchestrator_attempt attempt ON attempt.id = assignment.attempt_id
JOIN orchestrator_task task ON task.id = attempt.task_id WHERE assignment.id = %s""",
)
