"""What a blocker costs: which work waits behind it, and how long work was blocked (FR-012)."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.core.engine.rework import to_redo
from orchestrator.core.engine.values import TaskView


@dataclass(frozen=True, slots=True)
class Impact:
    """`delayed` are the open tasks behind the blocked one, in launch order; `minutes` is their estimated work
    together, 0 when the plan estimates none of it. `critical` says whether the blocked task lies on the
    critical path."""

    delayed: tuple[str, ...]
    minutes: int
    critical: bool

    @property
    def estimated(self) -> timedelta:
        return timedelta(minutes=self.minutes)


def impact_of(
    key: str, tasks: Sequence[TaskView], estimates: Mapping[str, int], critical: AbstractSet[str]
) -> Impact:
    """The impact of a blocker on the task `key`.

    Behind it is what comes after it by need, by thread or by batch.
    """
    start = next(task for task in tasks if task.key == key)
    batch = [task for task in tasks if task.place[:2] == start.place[:2]]
    behind = set(to_redo(batch, key)) | {task.key for task in tasks if task.place[:2] > start.place[:2]}
    ordered = sorted(
        (task for task in tasks if task.open and task.key in behind - {key}), key=lambda task: task.order
    )
    delayed = tuple(task.key for task in ordered)
    return Impact(delayed, sum(estimates.get(one, 0) for one in delayed), key in critical)


def blocked_time(spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """How long at least one of the spans lasted: what overlaps counts once. Exact across clock changes."""
    total, reached = timedelta(0), None
    for start, end in sorted((start.astimezone(UTC), end.astimezone(UTC)) for start, end in spans):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += end - begin
            reached = end
    return total
