"""A workstream as the scheduler sees it, whole: for explanations on demand. A round reads
`queries/engine/frontier.py`.
"""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.engine.values import Snapshot
from orchestrator.models import Task, Thread, WorkflowVersion, Workstream
from orchestrator.queries.base.sql import Joined, Table
from orchestrator.queries.engine.contenders import elsewhere
from orchestrator.queries.engine.facts import FactScope, facts_of
from orchestrator.queries.engine.ground import WITHOUT_TEXT, Ground, ground_of
from orchestrator.queries.engine.task_views import Views


@dataclass(frozen=True, slots=True)
class Loaded:
    """The snapshot with the rows behind the tasks it judges, by step key, and what all of it rests on."""

    snapshot: Snapshot
    tasks: dict[str, Task]
    ground: Ground


def workstream_row(workstream_id: int) -> Workstream:
    """The workstream, not locked, with the version in effect but for its text. Raises
    Workstream.DoesNotExist."""
    found = _WORKSTREAM.first(workstream_id)
    if found:
        workstream: Workstream = found["workstream"]
        workstream.version = found["version"]
        return workstream
    raise Workstream.DoesNotExist(f"There is no workstream {workstream_id}.")


_WORKSTREAM = Joined(
    {"workstream": Table(Workstream), "version": Table(WorkflowVersion, WITHOUT_TEXT)},
    """orchestrator_workstream workstream
JOIN orchestrator_workflowversion version ON version.id = workstream.version_id
WHERE workstream.id = %s""",
)


def load_snapshot(workstream: Workstream, now: datetime | None = None) -> Loaded:
    """A fixed number of queries, whatever the size. Without `now` a version that was approved counts as
    effective.
    """
    # Tasks of steps that a later version dropped keep their old definition and take no part any more.
    tasks = _tasks(workstream.pk, workstream.version_id)
    threads = {thread.pk: thread for thread in _threads(workstream.version_id)}
    for task in tasks:
        task.step.thread = threads[task.step.thread_id]
    ground = ground_of(workstream, now)
    facts = facts_of(FactScope.whole(workstream))
    each = Views(workstream, tasks, ground.unusable, ground.assigned, facts)
    views = tuple(each.of(task) for task in tasks)
    others = elsewhere(workstream, [view.claims for view in views if view.open and not view.live])
    snapshot = Snapshot(views, ground.hold, elsewhere=others)
    return Loaded(snapshot, {task.step.key: task for task in tasks}, ground)


def _tasks(workstream: int, version: int) -> list[Task]:
    rows = Task.objects.filter(workstream=workstream, step__version=version)
    return list(rows.select_related("step", "verdict"))


def _threads(version: int) -> list[Thread]:
    """Read apart: many tasks stand in few threads."""
    rows = Thread.objects.filter(batch__stage__version=version)
    return list(rows.select_related("batch__stage").order_by())
