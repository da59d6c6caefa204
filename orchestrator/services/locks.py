"""The one lock of an act: the workstream's row. Rounds and acts of one workstream run one at a time (FR-028).

Order, everywhere: workstream, workflow, repository, executor, names, needs, history sequence. On SQLite the IMMEDIATE
transaction is the lock.

Rows are locked `no_key`: a row that names a locked one, such as a need or a history entry of another workstream, is
written without waiting for it. Waiting there would be a lock out of order.
"""

from django.db import connection

from orchestrator.core.errors import NotFound, WrongState
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Repository, Task, Workflow, Workstream

#: Any number will do as long as nothing else in the database uses it.
NEEDS_LOCK = 0x0CEA5
NAMES_LOCK = 0x0CEA6
CHECK_RULES_LOCK = 0x0CEA7


def locked_workstream(workstream_id: int) -> Workstream:
    """The row, locked until the surrounding transaction ends."""
    if not connection.in_atomic_block:
        raise RuntimeError("A lock outside a transaction protects nothing.")
    try:
        return Workstream.objects.select_for_update(no_key=True).get(pk=workstream_id)
    except Workstream.DoesNotExist:
        raise NotFound("There is no such workstream.") from None


def locked_pair(first_id: int, second_id: int) -> tuple[Workstream, Workstream]:
    """Both rows, locked in the order of their ids, so that two acts on the same pair cannot wait for each other."""
    found = {pk: locked_workstream(pk) for pk in sorted({first_id, second_id})}
    return found[first_id], found[second_id]


def lock_needs() -> None:
    """One act at a time changes what workstreams need of one another; held until the transaction ends (AD-3).

    An act that records something before it comes to the needs takes it first: whoever holds the sequence waits for
    nothing else.
    """
    _advisory(NEEDS_LOCK)


def lock_names() -> None:
    """One act at a time finds a free name for a workflow, a workstream, an account or an executor."""
    _advisory(NAMES_LOCK)


def lock_check_rules() -> None:
    """One change of the plan checks at a time."""
    _advisory(CHECK_RULES_LOCK)


def _advisory(number: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def lock_repository(name: str) -> None:
    """Keep rounds of other workstreams on the same repository out until the transaction ends; no name, no lock.

    What it keeps apart are launches: everybody else only gives up what they hold (AD-3).
    """
    if name:
        Repository.objects.get_or_create(name=name)
        Repository.objects.select_for_update(no_key=True).get(name=name)


def locked_task(task_id: int) -> Task:
    """The task as it stands behind its workstream's lock; the workstream must be active."""
    workstream_id = Task.objects.filter(pk=task_id).values_list("workstream_id", flat=True).first()
    if workstream_id is None:
        raise NotFound("There is no such task.")
    workstream = locked_workstream(workstream_id)
    if workstream.status != WorkstreamStatus.ACTIVE:
        raise WrongState(f"{workstream} is {workstream.status}; its tasks no longer change.")
    task = Task.objects.select_related("step").get(pk=task_id)
    task.workstream = workstream
    return task


def lock_workflow(workflow_id: int) -> None:
    """Versions of one workflow are numbered and decided one after another, whichever workstream they are for."""
    Workflow.objects.select_for_update(no_key=True).get(pk=workflow_id)
