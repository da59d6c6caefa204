"""Wake the scheduler: a message with an id, sent when the act has committed; the rows are the truth (section 5)."""

from django.db import transaction
from django_q.tasks import async_task


def wake(workstream_id: int) -> None:
    """Ask the queue to advance a workstream after the current transaction; a lost message is picked up by the sweep."""
    transaction.on_commit(lambda: async_task("orchestrator.tasks.advance", workstream_id))
