"""Locks of the database, in one written order. The one lock of most acts is the workstream's row: rounds and
acts of one workstream run one at a time (FR-028). On SQLite the IMMEDIATE transaction is the lock.

Rows are locked `no_key`: a row that names a locked one, such as a need or a history entry of another
workstream, is written without waiting for it. Waiting there would be a lock out of order.
"""

import logging
import threading
from collections.abc import Collection, Mapping
from enum import IntEnum, auto
from typing import TypeVar

from django.conf import settings
from django.db import connection
from django.db.models import Manager, Model, QuerySet
from django.db.transaction import Atomic

from orchestrator.core.errors import NotFound, WrongState
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Repository, Task, Workflow, Workstream
from orchestrator.queries.base.locking import BY_ATTEMPT, BY_ID, BY_TASK, read_and_lock
from orchestrator.services.base.watched import note_lock

logger = logging.getLogger(__name__)


class Lock(IntEnum):
    """Every lock that a transaction may wait for, in the order in which it takes them; of one kind, by id or
    name.

    Whoever holds one waits for later ones only, so acts never wait for one another in a ring. The workspace's
    lock is none of them: it is a file, and is taken outside of transactions.
    """

    KEY = auto()  # the row of an idempotency key
    RESULT_FILE = auto()  # the row of a file that the collector looks at
    WORKSTREAM = auto()
    WORKFLOW = auto()
    REPOSITORY = auto()
    EXECUTOR = auto()
    ACCOUNT = auto()
    SECOND_FACTOR = auto()  # of an account: its authenticator app
    TOKEN = auto()
    NAMES = auto()
    NEEDS = auto()
    CHECK_RULES = auto()
    POLICY = auto()
    SEALER = auto()  # who signs how far the history went
    SEQUENCE = auto()  # of the history; taken when nothing but its entries is left to write


#: Any numbers will do as long as nothing else in the database uses them.
ADVISORY = {
    Lock.SEQUENCE: 0x0CEA4,
    Lock.NEEDS: 0x0CEA5,
    Lock.NAMES: 0x0CEA6,
    Lock.CHECK_RULES: 0x0CEA7,
    Lock.SEALER: 0x0CEA8,
}
#: PostgreSQL leaves foreign keys to the commit. Those of what the act wrote are checked before everybody
#: waits for it.
_CHECK_REFERENCES = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; "

Held = tuple[Lock, int | str]
Row = TypeVar("Row", bound=Model)


class OutOfOrder(RuntimeError):
    """A transaction took a lock that could make two of them wait for each other. Only a mistake in the
    code does."""


class _Notes(threading.local):
    """What the transaction of this thread holds; another transaction begins with nothing."""

    transaction: Atomic | None = None
    held: tuple[Held, ...] = ()
    workstreams: Mapping[int, Workstream] = {}


_notes = _Notes()


def take(lock: Lock, which: int | str = 0) -> None:
    """Every lock goes through this door: the order is kept, and a numbered lock is taken here.

    A row's own lock is taken by the query or the insert that follows.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A lock outside a transaction protects nothing.")
    held, wanted = held_locks(), (lock, which)
    note_lock(lock)
    if wanted not in held:
        if held and wanted < max(held):
            _wrong(f"{_named(wanted)} is taken behind {', '.join(map(_named, held))}.")
        _notes.held = (*held, wanted)
    if lock in ADVISORY and connection.vendor == "postgresql":
        before = _CHECK_REFERENCES if lock is Lock.SEQUENCE else ""
        with connection.cursor() as cursor:
            cursor.execute(f"{before}SELECT pg_advisory_xact_lock({ADVISORY[lock]})")


def held_locks() -> tuple[Held, ...]:
    """What the current transaction has taken so far."""
    if (current := _transaction()) is None or current is not _notes.transaction:
        _notes.transaction, _notes.held, _notes.workstreams = current, (), {}
    return _notes.held


def held_rows() -> list[Workstream]:
    """The rows of the workstreams that the current transaction has locked."""
    held_locks()
    return list(_notes.workstreams.values())


def held_row(workstream_id: int) -> Workstream | None:
    """The one object of a workstream that the current transaction has locked; None when it has not."""
    held_locks()
    return _notes.workstreams.get(workstream_id)


def hold(workstream: Workstream) -> None:
    """From now on this is the object of a row that the current transaction has locked, or made."""
    held_locks()
    _notes.workstreams = {**_notes.workstreams, workstream.pk: workstream}


def let_go_since(held: tuple[Held, ...]) -> None:
    """After a part of the transaction was rolled back: the database has let go of the locks of that part."""
    released = {
        which for lock, which in held_locks() if lock is Lock.WORKSTREAM and (lock, which) not in held
    }
    if _notes.held:
        _notes.held = held
    _notes.workstreams = {pk: row for pk, row in _notes.workstreams.items() if pk not in released}


def in_transaction() -> bool:
    """Whether an act runs as a part of another transaction, such as an idempotency key's."""
    return _transaction() is not None


def outside_transactions() -> None:
    """Asked first by acts of several transactions, or of slow work in files: within a surrounding
    transaction their parts would be one, with every lock held to its end."""
    if in_transaction():
        _wrong("An act of several transactions runs inside another transaction.")


def _named(held: Held) -> str:
    lock, which = held
    return f"{lock.name} {which}" if which else lock.name


def _transaction() -> Atomic | None:
    """The outermost block of the current transaction, but for the one that a test case stands in."""
    for block in connection.atomic_blocks:
        if not getattr(block, "_from_testcase", False):
            found: Atomic = block
            return found
    return None


def _wrong(problem: str) -> None:
    """A mistake of the code. Tests fail of it; in operation the act goes on, and the database ends a ring
    if there is one."""
    if settings.STRICT_LOCKS:
        raise OutOfOrder(problem)
    logger.error("Locks: %s", problem)


def locked_workstream(workstream_id: int) -> Workstream:
    """The row, locked until the surrounding transaction ends. Asked again, it is the same object: what an
    act changes of it is changed for all of its parts."""
    take(Lock.WORKSTREAM, workstream_id)
    return held_row(workstream_id) or _lock(BY_ID, workstream_id, "There is no such workstream.")


def locked_workstream_of_task(task_id: int, missing: str = "There is no such task.") -> Workstream:
    """The row of the workstream that a task belongs to, locked in the statement that looks for it; without
    one NotFound says `missing`. A task never changes its workstream."""
    return _lock(BY_TASK, task_id, missing)


def locked_workstream_of_attempt(attempt_id: int, missing: str) -> Workstream:
    """The same for the workstream that an attempt was made in."""
    return _lock(BY_ATTEMPT, attempt_id, missing)


def _lock(by: str, number: int, missing: str) -> Workstream:
    row = read_and_lock(by, number)
    if row is None:
        raise NotFound(missing)
    take(Lock.WORKSTREAM, row.pk)
    if held_row(row.pk) is None:
        hold(row)
    return _notes.workstreams[row.pk]


def locked_pair(first_id: int, second_id: int) -> tuple[Workstream, Workstream]:
    """Both rows, locked in the order of their ids, so that two acts on the same pair cannot wait for each
    other."""
    found = {pk: locked_workstream(pk) for pk in sorted({first_id, second_id})}
    return found[first_id], found[second_id]


def locked_workstreams(ids: Collection[int]) -> Mapping[int, Workstream]:
    """Many rows by their ids, locked in that order by one statement; NotFound where one is not there."""
    wanted = sorted(set(ids))
    for pk in wanted:
        take(Lock.WORKSTREAM, pk)
    new = [pk for pk in wanted if held_row(pk) is None]
    for row in for_update(Workstream.objects).filter(pk__in=new).order_by("pk"):
        hold(row)
    if any(held_row(pk) is None for pk in wanted):
        raise NotFound("There is no such workstream.")
    return {pk: _notes.workstreams[pk] for pk in wanted}


def locked_task(task_id: int) -> Task:
    """The task as it stands behind its workstream's lock; the workstream must be active."""
    workstream = locked_workstream_of_task(task_id)
    refuse_inactive(workstream)
    task = Task.objects.select_related("step").get(pk=task_id)
    task.workstream = workstream
    return task


def refuse_inactive(workstream: Workstream) -> None:
    """WrongState for a workstream whose tasks no longer change, or do not yet."""
    if workstream.status != WorkstreamStatus.ACTIVE:
        raise WrongState(f"{workstream} is {workstream.status}; its tasks no longer change.")


def lock_workflow(workflow_id: int) -> Workflow:
    """Versions of one workflow are numbered and decided one after another, whichever workstream they are
    for."""
    take(Lock.WORKFLOW, workflow_id)
    try:
        return for_update(Workflow.objects).get(pk=workflow_id)
    except Workflow.DoesNotExist:
        raise NotFound("There is no such workflow.") from None


def lock_names() -> None:
    """One act at a time finds a free name for a workflow, a workstream, an account or an executor."""
    take(Lock.NAMES)


def lock_needs() -> None:
    """One act at a time changes what workstreams need of one another; held until the transaction ends
    (AD-3)."""
    take(Lock.NEEDS)


def lock_check_rules() -> None:
    """One change of the plan checks at a time."""
    take(Lock.CHECK_RULES)


def lock_repository(name: str) -> None:
    """Keep rounds of other workstreams on the same repository out until the transaction ends; no name, no
    lock.

    What it keeps apart are launches: everybody else only gives up what they hold (AD-3).
    """
    if name:
        take(Lock.REPOSITORY, name)
        Repository.objects.get_or_create(name=name)
        for_update(Repository.objects).get(name=name)


def for_update(rows: Manager[Row]) -> QuerySet[Row]:
    """The rows of a table, to be locked when they are read; their lock was taken note of before."""
    return rows.select_for_update(no_key=True)
