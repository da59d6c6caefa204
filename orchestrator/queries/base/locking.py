"""The row of a workstream, read and locked in one statement by what an act knows: its id, or that of a task
or of an attempt in it. Who asks has to keep the order of locks (`services/base/locks.py`).
"""

from functools import cache
from typing import Final

from django.db import connection

from orchestrator.models import Workstream
from orchestrator.queries.base.sql import Joined, Table

BY_ID: Final = "%s"
BY_TASK: Final = "(SELECT task.workstream_id FROM orchestrator_task task WHERE task.id = %s)"
BY_ATTEMPT: Final = """(SELECT task.workstream_id FROM orchestrator_attempt attempt
JOIN orchestrator_task task ON task.id = attempt.task_id WHERE attempt.id = %s)"""


def read_and_lock(by: str, number: int) -> Workstream | None:
    """`by` is one of the above and says what `number` is the id of. None when there is no such row."""
    found = _statement(by).first(number)
    row: Workstream | None = found["workstream"] if found else None
    return row


@cache
def _statement(by: str) -> Joined:
    locks = connection.ops.for_update_sql(no_key=True) if connection.features.has_select_for_update else ""
    source = f"orchestrator_workstream workstream WHERE workstream.id = {by} {locks}"
    return Joined({"workstream": Table(Workstream)}, source)
