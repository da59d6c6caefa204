"""The way back from a migration: what every task of it becomes under the version before (FR-016)."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.core.changes.judge import ItemVerdict, cannot_go
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import AttemptStatus, MappedOutcome, MappingKind, TaskStatus

#: Nobody works on a task that comes back, and a gate is launched again.
RESTARTED = frozenset({TaskStatus.ACTIVE, TaskStatus.REVIEW})


@dataclass(frozen=True, slots=True)
class Passed:
    """What a migration did to one item. `old` and `new` are its keys, empty for an added or a dropped one.

    `view` is its task as it stands now, None for a task that went. `changed`: the two definitions differ.
    `untouched`: nobody acted on the task since the migration.
    """

    old: str
    new: str
    kind: MappingKind
    old_status: TaskStatus | None
    view: TaskView | None
    changed: bool = False
    untouched: bool = False


def roll_back(items: Iterable[Passed]) -> tuple[ItemVerdict, ...]:
    """A verdict per item, seen from the newer version: its `new` is the key that the older version has."""
    return tuple(_rolled_back(item) for item in items)


def _rolled_back(item: Passed) -> ItemVerdict:
    view, before = item.view, item.old_status or TaskStatus.PENDING
    if view is None:
        return _verdict(item, MappedOutcome.ADDED, _came_back(before), "comes back")
    if not item.old:
        if refusal := cannot_go(view):
            return _verdict(item, MappedOutcome.REFUSED, view.status, refusal)
        return _verdict(item, MappedOutcome.CANCELLED, TaskStatus.CANCELLED, "is not in the older version")
    if item.changed and view.live is AttemptStatus.RUNNING:
        sentence = (
            f"{view.executor or 'somebody'} runs it as it is defined now; wait for its end or "
            f"declare it failed"
        )
        return _verdict(item, MappedOutcome.REFUSED, view.status, sentence)
    outcome = MappedOutcome.KEPT if item.old == item.new else MappedOutcome.RENAMED
    if item.untouched and before is not view.status:
        return _verdict(item, outcome, _came_back(before), "stands as it stood before the migration")
    return _verdict(item, outcome, view.status, "keeps its state")


def _came_back(status: TaskStatus) -> TaskStatus:
    return TaskStatus.PENDING if status in RESTARTED else status


def _verdict(item: Passed, outcome: MappedOutcome, status: TaskStatus, sentence: str) -> ItemVerdict:
    new = "" if outcome in {MappedOutcome.CANCELLED, MappedOutcome.REFUSED} else item.old
    return ItemVerdict(item.new, new, item.kind, outcome, status, sentence)
