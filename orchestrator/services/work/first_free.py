"""The first attempt that an executor may claim, claimed behind its workstream's lock (FR-027, FR-028)."""

from datetime import datetime

from orchestrator.core.errors import (
    AlreadyClaimed,
    AssignedElsewhere,
    NotAllowed,
    NotFound,
    Refusal,
    WrongExecutor,
    WrongState,
)
from orchestrator.core.terms import VerificationState
from orchestrator.models import Executor, Verification
from orchestrator.queries.base.sql import Joined
from orchestrator.queries.work.work import Wanted, first_free, first_free_in, free_attempts
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.locks import locked_workstream
from orchestrator.services.base.steps import once
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.work import claims

#: What may become of an attempt between finding it free and claiming it.
LOST: tuple[type[Refusal], ...] = (
    *(AlreadyClaimed, AssignedElsewhere, NotAllowed, NotFound, WrongExecutor, WrongState),
)


class _NothingFree(Exception):
    """The workstream has nothing for this executor: the step leaves no note under its key."""


def claim_held(executor: Executor, actor: Actor, now: datetime) -> int | None:
    """The id of the claim of what an agent or a tool runs already: claimed once more, it is the same."""
    held = _held(executor)
    if held is None:
        return None
    return claims.claim(attempt_id=held, executor=executor, actor=actor, now=now).pk


def being_verified(executor: Executor) -> Verification | None:
    """The completion of what an agent or a tool runs, while its command has not ended: whoever handed it in
    has nothing to do for it before that (BX-9)."""
    held = _held(executor)
    if held is None:
        return None
    rows = Verification.objects.filter(attempt=held, state=VerificationState.PENDING)
    return rows.select_related("attempt__task__step", "attempt__task__workstream").first()


def _held(executor: Executor) -> int | None:
    """The attempt that an agent or a tool runs; people may run several."""
    if executor.is_person:
        return None
    found = _HELD.first(executor.pk)
    return found["attempt"] if found else None


_HELD = Joined(
    {},
    """orchestrator_assignment held WHERE held.executor_id = %s AND held.released_at IS NULL
ORDER BY held.claimed_at LIMIT 1""",
    {"attempt": "held.attempt_id"},
)


def claim_first(executor: Executor, actor: Actor, wanted: Wanted, now: datetime) -> int | None:
    """The id of the claim of the first free attempt of the first workstream that has one. ExecutorBusy when
    the executor has come to run something meanwhile."""
    passed: set[int] = set()
    while True:
        workstream = _workstream(executor, wanted, passed)
        if workstream is None:
            return None
        try:
            return once("claimed", lambda pk=workstream: _claimed(pk, executor, actor, wanted, now))  # type: ignore[misc]
        except _NothingFree:
            passed.add(workstream)


def _workstream(executor: Executor, wanted: Wanted, passed: set[int]) -> int | None:
    if not passed:
        return first_free(executor, wanted)
    free = free_attempts(executor, wanted).exclude(task__workstream__in=passed)
    return free.values_list("task__workstream", flat=True).first()


def _attempt(workstream: int, executor: Executor, wanted: Wanted, lost: set[int]) -> int | None:
    if not lost:
        return first_free_in(workstream, executor, wanted)
    free = free_attempts(executor, wanted).filter(task__workstream=workstream).exclude(pk__in=lost)
    return free.values_list("pk", flat=True).first()


def _claimed(workstream_id: int, executor: Executor, actor: Actor, wanted: Wanted, now: datetime) -> int:
    """The id of the claim of the first attempt that is free behind the workstream's lock."""
    lost: set[int] = set()
    with unit_of_work():
        locked_workstream(workstream_id)
        while (attempt := _attempt(workstream_id, executor, wanted, lost)) is not None:
            try:
                return claims.claim(attempt_id=attempt, executor=executor, actor=actor, now=now).pk
            except LOST:
                lost.add(attempt)
    raise _NothingFree
