"""Wake the scheduler: a message with an id, sent when the act has committed.

The rows are the truth (section 5).
"""

from functools import partial

from django.db import transaction
from django_q.tasks import async_task

from orchestrator.models import Wake
from orchestrator.queries.base.sql import Joined, change
from orchestrator.services.base.unit_of_work import unit_of_work


def wake(workstream_id: int) -> None:
    """Ask the queue to advance a workstream after the current transaction; a lost message is picked up by the
    sweep.

    Trouble with the message is logged and is none of the act's: that has committed.
    """
    transaction.on_commit(partial(send, workstream_id), robust=True)


def send(workstream_id: int) -> None:
    """Put one message into the queue, unless one waits there already: that one will see what this one is
    about.

    Row and message commit together, and wait for nothing but another sender for the same workstream.
    """
    with unit_of_work():
        if _first(workstream_id):
            async_task("orchestrator.processes.tasks.advance", workstream_id)


def _first(workstream_id: int) -> bool:
    """Note that a message waits; whether none did before."""
    if change(_MARK, True, workstream_id):
        return True
    return not _KNOWN.rows(workstream_id) and Wake.objects.get_or_create(workstream_id=workstream_id)[1]


_MARK = "UPDATE orchestrator_wake SET waits = %s WHERE workstream_id = %s AND NOT waits"
_CLEAR = "UPDATE orchestrator_wake SET waits = %s WHERE workstream_id = %s AND waits"
_KNOWN = Joined({}, "orchestrator_wake wake WHERE wake.workstream_id = %s", {"waits": "wake.waits"})


def begun(workstream_id: int) -> None:
    """The queue is about to read the workstream's rows: from now on an act needs a message of its own."""
    change(_CLEAR, False, workstream_id)
