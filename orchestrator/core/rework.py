"""What has to be done again when work returns to an earlier step (FR-021)."""

from collections.abc import Sequence

from orchestrator.core.schedule import TaskView


def to_redo(tasks: Sequence[TaskView], key: str) -> tuple[str, ...]:
    """The step and everything after it, in launch order: by need, by thread, or by a later batch."""
    ordered = sorted(tasks, key=lambda task: task.order)
    start = next(task for task in ordered if task.key == key)
    redo = {key}
    grew = True
    while grew:
        before = len(redo)
        redo |= {t.key for t in ordered if t.key not in redo and _follows(t, start, redo, ordered)}
        grew = len(redo) > before
    return tuple(task.key for task in ordered if task.key in redo)


def _follows(task: TaskView, start: TaskView, redo: set[str], ordered: Sequence[TaskView]) -> bool:
    if task.place[:2] > start.place[:2] or redo & set(task.needs):
        return True
    return any(
        other.key in redo
        and other.place[:3] == task.place[:3]
        and other.place.position < task.place.position
        and not (other.parallel and task.parallel)
        for other in ordered
    )
