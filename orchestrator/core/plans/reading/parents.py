"""Tasks and their subtasks: a task ends when its parts do, and they wait for what it waits for.

Both are inferred, and no tracker refuses a part that names its own whole, so neither may close a circle.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from orchestrator.core.plans.circles import circles
from orchestrator.core.plans.findings import Findings

#: Needs that subtasks take over from their parents in one plan, so that reading stays linear.
MOST_INHERITED: Final = 100_000


class Related(Protocol):
    """A task that may be part of another one; `needs` and `parent` are keys."""

    key: str
    line: int
    needs: list[str]
    parent: str


def relate_parents(items: Sequence[Related], findings: Findings) -> None:
    """Add to the needs of each task its subtasks, and to those of each subtask what its parents need.

    A subtask that names a task which it is a part of waits for the rest only: that task ends after it.
    """
    family = _Family(items)
    if not family.below:
        return
    for item in items:
        _leave_whole_out(item, family, findings)
    own = {item.key: frozenset(item.needs) for item in items}
    if not _inherit(family, findings):
        return
    wholes = [family.known[key] for key in family.below]
    for whole in wholes:
        whole.needs += [key for key in family.below[whole.key] if key not in own[whole.key]]
    _open_circles(items, own, family, findings)


class _Family:
    """Which task is a part of which; `below` has the subtasks of each task that has any."""

    def __init__(self, items: Sequence[Related]) -> None:
        self.known = {item.key: item for item in items}
        self.below: dict[str, list[str]] = defaultdict(list)
        for item in items:
            if item.parent in self.known and item.parent != item.key:
                self.below[item.parent].append(item.key)
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self.down = list(self._walk(items))

    def _walk(self, items: Sequence[Related]) -> Iterator[str]:
        """Every task before its parts; the numbers say who stands below whom.

        Tasks that are parts of one another in a circle are left out.
        """
        count = 0
        for item in items:
            path = [] if item.parent in self.known and item.parent != item.key else [(item.key, 0)]
            while path:
                key, place = path.pop()
                if not place:
                    self._first[key] = count
                    count += 1
                    yield key
                parts = self.below.get(key, ())
                if place < len(parts):
                    path += [(key, place + 1), (parts[place], 0)]
                else:
                    self._last[key] = count

    def is_part_of(self, key: str, whole: str) -> bool:
        if key not in self._first or whole not in self._first or key == whole:
            return False
        return self._first[whole] < self._first[key] < self._last[whole]


def _leave_whole_out(item: Related, family: _Family, findings: Findings) -> None:
    wholes = [need for need in item.needs if family.is_part_of(item.key, need)]
    if not wholes:
        return
    item.needs = [need for need in item.needs if need not in wholes]
    message = f"{item.key} names {wholes[0]}, which it is a part of; it starts without waiting for it."
    fix = f"Nothing to do: {wholes[0]} ends when its parts do."
    findings.add("part-needs-whole", item.line, message, fix)


def _inherit(family: _Family, findings: Findings) -> bool:
    """Give every subtask what its parent waits for; False when that would be too much."""
    added = 0
    for key in family.down:
        whole = family.known[key]
        parts = family.below.get(key, ())
        beside = {key, *parts} if parts and whole.needs else set()
        for part in (family.known[one] for one in parts):
            known = set(part.needs)
            wanted = [need for need in whole.needs if need not in beside and need not in known]
            added += len(wanted) + 1
            if added > MOST_INHERITED:
                message = (
                    "There are too many dependencies between tasks and their subtasks to read all of them."
                )
                findings.add("unreadable-value", part.line, message, "Split the file.")
                return False
            part.needs += wanted
    return True


def _open_circles(
    items: Sequence[Related], own: Mapping[str, frozenset[str]], family: _Family, findings: Findings
) -> None:
    """Take inferred needs out of circles.

    First what subtasks inherit, then that tasks wait for their parts.
    """
    for parts_too in (False, True):
        found = circles({item.key: item.needs for item in items})
        if not found:
            return
        opened = sum(_open(circle, own, family, parts_too=parts_too) for circle in found)
        if opened:
            message = (
                f"{opened} dependencies between tasks and their subtasks would close a circle and are "
                f"left out; the ones that the source writes stay."
            )
            line = min((family.known[key].line for circle in found for key in circle), default=0)
            findings.add(
                "inferred-needs", line, message, "Check the order of these tasks and their subtasks."
            )


def _open(
    circle: frozenset[str], own: Mapping[str, frozenset[str]], family: _Family, *, parts_too: bool
) -> int:
    opened = 0
    for key in circle:
        item = family.known[key]
        parts = frozenset() if parts_too else frozenset(family.below.get(key, ()))
        kept = [n for n in item.needs if n not in circle or n in own[key] or n in parts]
        opened += len(item.needs) - len(kept)
        item.needs = kept
    return opened
