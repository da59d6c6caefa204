"""The commits that a step builds on: of everything before it, and of what held the same files before it
(BX-1, BX-5)."""

from collections.abc import Iterator

from orchestrator.contract.places import CommitBefore
from orchestrator.core.engine.ancestry import ancestors
from orchestrator.core.engine.contention import Claims
from orchestrator.core.engine.values import Snapshot
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Attempt, Task
from orchestrator.queries.engine.snapshot import load_snapshot


def commits_before(task: Task) -> tuple[CommitBefore, ...]:
    """The repository commits of the completed steps that a task builds on, in launch order, each once; after
    them those of steps on the same files, which were done before it only because both were not done at
    once."""
    loaded = load_snapshot(task.workstream)
    before = ancestors(loaded.snapshot.tasks, task.step.key)
    beside = [key for key in _on_same_files(loaded.snapshot, task.step.key) if key not in set(before)]
    keys = [key for key in (*before, *beside) if loaded.tasks[key].status == TaskStatus.COMPLETE]
    latest = dict(
        Attempt.objects.filter(
            task__in=[loaded.tasks[key].pk for key in keys], status=AttemptStatus.COMPLETED
        )
        .order_by("number")
        .values_list("task_id", "commit")
    )
    found: dict[str, CommitBefore] = {}
    for key in keys:
        if commit := latest.get(loaded.tasks[key].pk):
            found.setdefault(commit, CommitBefore(key, commit, key in beside))
    return tuple(found.values())


def _on_same_files(snapshot: Snapshot, key: str) -> Iterator[str]:
    """The complete steps whose files meet those of this one, in launch order."""
    mine = _files_of(next(view.claims for view in snapshot.tasks if view.key == key))
    if not mine:
        return
    for view in sorted(snapshot.tasks, key=lambda view: view.order):
        done = view.status is TaskStatus.COMPLETE and view.key != key
        if done and mine.conflict_with(_files_of(view.claims)):
            yield view.key


def _files_of(claims: Claims) -> Claims:
    """Named resources say nothing about files."""
    return Claims(claims.lane, claims.lane_files, claims.files)
