"""A workstream as the scheduler sees it, whole: for explanations on demand. A round reads
`queries/engine/frontier.py`.
"""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.engine.values import Snapshot
from orchestrator.models import Batch, RecordedVerdict, Stage, Step, Task, Thread, WorkflowVersion, Workstream
from orchestrator.queries.base.sql import Joined, Table, link
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
        link(workstream, "version", found["version"])
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
        link(task.step, "thread", threads[task.step.thread_id])
    ground = ground_of(workstream, now)
    facts = facts_of(FactScope.whole(workstream))
    each = Views(workstream, tasks, ground.unusable, ground.assigned, facts)
    views = tuple(each.of(task) for task in tasks)
    others = elsewhere(workstream, [view.claims for view in views if view.open and not view.live])
    snapshot = Snapshot(views, ground.hold, elsewhere=others)
    return Loaded(snapshot, {task.step.key: task for task in tasks}, ground)


def _tasks(workstream: int, version: int) -> list[Task]:
    tasks = []
    for row in _TASKS.rows(workstream, version):
        task: Task = row["task"]
        link(task, "step", row["step"])
        link(task, "verdict", row["verdict"])
        tasks.append(task)
    return tasks


def _threads(version: int) -> list[Thread]:
    """Read apart: many tasks stand in few threads, and few batches and stages stand for all of them."""
    stages: dict[int, Stage] = {}
    batches: dict[int, Batch] = {}
    threads = []
    for row in _THREADS.rows(version):
        thread: Thread = row["thread"]
        batch = batches.setdefault(thread.batch_id, row["batch"])
        batch.stage = stages.setdefault(batch.stage_id, row["stage"])
        thread.batch = batch
        threads.append(thread)
    return threads


_TASKS = Joined(
    {"task": Table(Task), "step": Table(Step), "verdict": Table(RecordedVerdict)},
    """orchestrator_task task JOIN orchestrator_step step ON step.id = task.step_id
LEFT JOIN orchestrator_recordedverdict verdict ON verdict.id = task.verdict_id
WHERE task.workstream_id = %s AND step.version_id = %s
ORDER BY task.workstream_id, task.id""",
)
_THREADS = Joined(
    {"thread": Table(Thread), "batch": Table(Batch), "stage": Table(Stage)},
    """orchestrator_thread thread JOIN orchestrator_batch batch ON batch.id = thread.batch_id
JOIN orchestrator_stage stage ON stage.id = batch.stage_id
WHERE stage.version_id = %s""",
)
