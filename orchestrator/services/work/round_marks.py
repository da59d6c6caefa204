"""What a round writes of the tasks it judged: each task once, many in one statement (FR-005)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from orchestrator.core.terms import TaskStatus
from orchestrator.models import SchedulingDecision, Task
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.base.sql import change


class RoundMarks(NamedTuple):
    """Ids of tasks by what a round writes of them: those with a verdict of it, launched, and gates among
    these; those that the next round looks at, those that it need not, and those whose verdict rests on
    themselves."""

    verdict: set[int]
    launched: set[int]
    gates: set[int]
    due: set[int]
    settled: set[int]
    standing: set[int]

    def write(self, row: SchedulingDecision | None, now: datetime) -> None:
        """Write them; `row` is the recorded round, where there is one."""
        for some in in_parts(sorted(set[int]().union(*self))):
            _write(some, self, row, now)


def _write(tasks: Sequence[int], marks: RoundMarks, row: SchedulingDecision | None, now: datetime) -> None:
    """Write the marks of some tasks in one statement."""
    columns: list[str] = []
    given: list[Any] = []
    if row is not None and marks.verdict.intersection(tasks):
        columns.append(_LATEST)
        given.append(row.pk)
    for column, cases in (
        ("status", [(marks.gates, TaskStatus.REVIEW.value)]),
        ("updated_at", [(marks.launched, _stored(now))]),
        ("standing", [(marks.standing, True)]),
        ("due", [(marks.due, True), (marks.settled, False)]),
    ):
        own = [(sorted(ids.intersection(tasks)), value) for ids, value in cases]
        own = [(ids, value) for ids, value in own if ids]
        if own:
            whens = " ".join(f"WHEN id IN ({_places(ids)}) THEN %s" for ids, _ in own)
            columns.append(f"{column} = CASE {whens} ELSE {column} END")
            for ids, value in own:
                given += [*ids, value]
    sql = f"UPDATE orchestrator_task SET {', '.join(columns)} WHERE id IN ({_places(tasks)})"
    change(sql, *given, *tasks)


_LATEST = """verdict_id = COALESCE((SELECT latest.id FROM orchestrator_recordedverdict latest
WHERE latest.decision_id = %s AND latest.task_id = orchestrator_task.id), verdict_id)"""


def _stored(moment: datetime) -> Any:
    return Task._meta.get_field("updated_at").get_db_prep_save(moment, connection)


def _places(ids: Sequence[int]) -> str:
    return ", ".join(["%s"] * len(ids))
