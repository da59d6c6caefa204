"""Whether the installation can work now, and the figures of a monitor, in a fixed number of statements.

Requirements: FR-026, F18, F22 to F24.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Model

from orchestrator.core.limits import MIB, OUTPUT_BYTES
from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus, WorkstreamStatus
from orchestrator.models import Attempt, HandoffArtifact, HistoryEntry, Intervention, Task, Workstream
from orchestrator.queries.base.sealed import unsealed
from orchestrator.queries.engine.holds import work_is_stopped
from orchestrator.queries.workstreams.operating import database_figures, queue_figures

#: A message that waits longer than this is a queue that does not move.
STUCK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is in the way of work, by a stable word each with a sentence; nothing when work can go on."""

    problems: dict[str, str]

    @property
    def ready(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure for a monitor: its value for each value of its `label`, or alone under an empty one."""

    name: str
    meaning: str
    label: str
    values: dict[str, float]


def readiness(now: datetime) -> Readiness:
    """Looks at the database, its tables, the queue, the workspace and the disks; changes nothing."""
    try:
        problems = _of_tables() or _of_work(now)
    except DatabaseError:
        problems = {"database": "The database does not answer."}
    if not (Path(settings.WORKSPACE_DIR) / ".git").is_dir():
        problems |= {"workspace": "The workspace is not there."}
    return Readiness(problems | _of_disks())


def _of_disks() -> dict[str, str]:
    """Where one completion could not be written any more, acts are refused; a disk that does not tell is no
    problem of its own."""
    for what, folder in (("data", settings.DATA_DIR), ("the workspace", settings.WORKSPACE_DIR)):
        with suppress(OSError):
            free = shutil.disk_usage(folder).free
            if free < OUTPUT_BYTES:
                return {"disk": f"The disk of {what} has {free // MIB} MiB left. Make room."}
    return {}


def _of_tables() -> dict[str, str]:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return {"tables": "The tables of the database are not those of this version."}
    return {}


def _of_work(now: datetime) -> dict[str, str]:
    problems = {}
    oldest = queue_figures().oldest
    if oldest is not None and now - oldest > STUCK:
        problems["queue"] = f"A message waits since {oldest:%Y-%m-%d %H:%M} UTC."
    if work_is_stopped():
        problems["divergence"] = "Workspace and database do not belong together; an approver decides."
    return problems


def gauges(now: datetime) -> list[Gauge]:
    """What a monitor wants to know. Every state has a value, so that none disappears from a graph."""
    queue = queue_figures()
    age = (now - queue.oldest).total_seconds() if queue.oldest else 0.0
    pending = HandoffArtifact.objects.filter(state=ArtifactState.PENDING).count()
    waiting = Intervention.objects.filter(cleared_at=None).count()
    waiting_for_a_seal = unsealed()
    newest = HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return [
        _by_status(Workstream, "workstreams", "Workstreams", tuple(WorkstreamStatus)),
        _by_status(Task, "tasks", "Tasks, gates among them", tuple(TaskStatus)),
        _by_status(Attempt, "attempts", "Attempts", tuple(AttemptStatus)),
        _alone("queue_messages", "Messages that wait in the queue", queue.depth),
        _alone("queue_oldest_seconds", "How long the oldest of them waits", max(0.0, age)),
        _alone("artifacts_pending", "Handoff artifacts that are not committed yet", pending),
        _alone("interventions_open", "Questions that wait for a person", waiting),
        _alone("history_entries", "Number of the newest entry of the history", newest or 0),
        _alone("history_unsealed", "Entries that no signed checkpoint covers yet", waiting_for_a_seal),
        _alone("work_stopped", "1 while workspace and database do not belong together", work_is_stopped()),
        _alone("database_bytes", "Bytes that the database takes", database_figures().size),
    ]


def _by_status(model: type[Model], name: str, meaning: str, statuses: tuple[str, ...]) -> Gauge:
    counted = model._default_manager.order_by().values_list("status").annotate(Count("pk"))
    return Gauge(name, meaning, "status", {str(status): 0.0 for status in statuses} | dict(counted))


def _alone(name: str, meaning: str, value: float) -> Gauge:
    return Gauge(name, meaning, "", {"": float(value)})
