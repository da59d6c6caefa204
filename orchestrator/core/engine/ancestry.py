"""What a step builds on: everything that has to be complete before it, however far back.

See design section 3.
"""

from collections import defaultdict
from collections.abc import Sequence

from orchestrator.core.engine.order import number_runs
from orchestrator.core.engine.values import TaskView


def ancestors(tasks: Sequence[TaskView], key: str) -> tuple[str, ...]:
    """The keys before `key` by batch, by need or by thread, in launch order.

    The reverse of `rework.to_redo`; linear in tasks and needs.
    """
    by_key = {task.key: task for task in tasks}
    start = by_key[key]
    found = {task.key for task in tasks if task.place[:2] < start.place[:2]}
    before = _Before([task for task in tasks if task.place[:2] == start.place[:2]])
    frontier = [start]
    while frontier:
        task = frontier.pop()
        needs = [by_key[need] for need in task.needs if need in by_key and need not in found]
        nearby = [*needs, *(other for other in before.of(task) if other.key not in found)]
        found |= {other.key for other in nearby}
        frontier += [other for other in nearby if other.place[:2] == start.place[:2]]
    found.discard(key)
    return tuple(task.key for task in sorted(tasks, key=lambda task: task.order) if task.key in found)


class _Before:
    """Who stands before a task of one batch in its thread."""

    def __init__(self, batch: Sequence[TaskView]) -> None:
        ordered = sorted(batch, key=lambda task: task.place)
        self.runs = number_runs((task.key, task.place[:3], task.parallel) for task in ordered)
        self.threads: dict[int, list[TaskView]] = defaultdict(list)
        for task in reversed(ordered):
            self.threads[task.place.thread].append(task)

    def of(self, task: TaskView) -> list[TaskView]:
        """Each task of a thread is answered once: whoever stands before it has been answered before."""
        rest, run = self.threads[task.place.thread], self.runs[task.key]
        before = []
        while rest and self.runs[rest[-1].key] < run:
            before.append(rest.pop())
        return before
