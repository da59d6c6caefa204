"""What has to be done again when work returns to an earlier step (FR-021)."""

from collections import defaultdict
from collections.abc import Sequence

from orchestrator.core.engine.order import number_runs
from orchestrator.core.engine.values import TaskView


def to_redo(tasks: Sequence[TaskView], *keys: str) -> tuple[str, ...]:
    """The steps and everything after them, in launch order: by need, by thread, or by a later batch.

    Gates and skipped steps behind them are part of it, whatever their state. Linear in tasks and needs.
    """
    ordered = sorted(tasks, key=lambda task: task.order)
    by_key = {task.key: task for task in ordered}
    here = min(by_key[key].place[:2] for key in keys)
    after = _Followers([task for task in ordered if task.place[:2] == here])
    redo = {key for key in keys if by_key[key].place[:2] == here}
    frontier = sorted(redo)
    while frontier:
        found = [other for other in after.followers(by_key[frontier.pop()]) if other not in redo]
        redo.update(found)
        frontier += found
    return tuple(task.key for task in ordered if task.key in redo or task.place[:2] > here)


class _Followers:
    """Who comes directly after a task of one batch: who needs it, and who stands behind it in its thread."""

    def __init__(self, batch: Sequence[TaskView]) -> None:
        self.runs = number_runs((task.key, task.place[:3], task.parallel) for task in batch)
        self.needing: dict[str, list[str]] = defaultdict(list)
        self.threads: dict[int, list[str]] = defaultdict(list)
        for task in batch:
            for need in task.needs:
                self.needing[need].append(task.key)
        for task in sorted(batch, key=lambda task: task.place.position):
            self.threads[task.place.thread].append(task.key)

    def followers(self, task: TaskView) -> list[str]:
        """Each task of a thread is answered once: whoever stands behind it has been answered before."""
        rest, run = self.threads[task.place.thread], self.runs[task.key]
        behind = []
        while rest and self.runs[rest[-1]] > run:
            behind.append(rest.pop())
        return self.needing[task.key] + behind
