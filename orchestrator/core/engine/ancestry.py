"""What a step builds on: everything that has to be complete before it, however far back.

See design section 3.
"""

from collections.abc import Mapping, Sequence

from orchestrator.core.engine.order import number_runs
from orchestrator.core.engine.values import TaskView


def ancestors(tasks: Sequence[TaskView], key: str) -> tuple[str, ...]:
    """The keys before `key` by batch, by need or by thread, in launch order.

    The reverse of `rework.to_redo`.
    """
    by_key = {task.key: task for task in tasks}
    start = by_key[key]
    found = {task.key for task in tasks if task.place[:2] < start.place[:2]}
    nearby = [task for task in tasks if task.place[:2] == start.place[:2]]
    nearby.sort(key=lambda task: task.place)
    runs = number_runs((task.key, task.place[:3], task.parallel) for task in nearby)
    frontier = [start]
    while frontier:
        task = frontier.pop()
        before = [other for other in nearby if other.key not in found and _is_before(other, task, runs)]
        found |= {other.key for other in before} | {need for need in task.needs if need in by_key}
        frontier += before
    return tuple(task.key for task in sorted(tasks, key=lambda task: task.order) if task.key in found)


def _is_before(other: TaskView, task: TaskView, runs: Mapping[str, int]) -> bool:
    if other.key in task.needs:
        return True
    return other.place[:3] == task.place[:3] and runs[other.key] < runs[task.key]
