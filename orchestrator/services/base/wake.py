"""Wake the scheduler: a message with an id, sent when the act has committed.

The rows are the truth (section 5).
"""

from collections.abc import Sequence
from functools import cache, partial

from django.db import connection, transaction
from django_q.tasks import async_task

from orchestrator.models import Wake
from orchestrator.queries.base.sql import Joined, change
from orchestrator.services.base.unit_of_work import current_unit, in_unit, unit_of_work


def wake(workstream_id: int) -> None:
    """Ask the queue to advance a workstream: the message is written with the act, in its transaction. A lost
    message is picked up by the sweep."""
    if in_unit():
        current_unit().at_the_end(_send_each, [workstream_id])
    else:
        transaction.on_commit(partial(send, workstream_id), robust=True)


def send(workstream_id: int) -> None:
    """Put one message into the queue, unless one waits there already: that one will see what this one is
    about."""
    with unit_of_work():
        _send_each([workstream_id])


def _send_each(workstreams: Sequence[int]) -> None:
    """By id, so that two acts which wake the same ones do not wait for one another in a ring."""
    for workstream_id in sorted(set(workstreams)):
        if _first(workstream_id):
            async_task("orchestrator.processes.tasks.advance", workstream_id)


def _first(workstream_id: int) -> bool:
    """Note that a message waits; whether none did before. Until this transaction ends nobody takes that
    back: a reader that began before it was committed would not see what it is about."""
    if change(_MARK, True, workstream_id):
        return True
    known = _known().first(workstream_id)
    if known is None:
        return Wake.objects.get_or_create(workstream_id=workstream_id)[1]
    return not known["waits"] and change(_MARK, True, workstream_id) > 0


_MARK = "UPDATE orchestrator_wake SET waits = %s WHERE workstream_id = %s AND NOT waits"
_CLEAR = "UPDATE orchestrator_wake SET waits = %s WHERE workstream_id = %s AND waits"


@cache
def _known() -> Joined:
    locks = connection.ops.for_update_sql() if connection.features.has_select_for_update else ""
    return Joined(
        {}, f"orchestrator_wake wake WHERE wake.workstream_id = %s {locks}", {"waits": "wake.waits"}
    )


def begun(workstream_id: int) -> None:
    """The queue is about to read the workstream's rows: from now on an act needs a message of its own."""
    change(_CLEAR, False, workstream_id)
