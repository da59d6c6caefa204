"""Which tasks of a batch are put before the scheduler: those that may start now.

A step is looked at while it may start, not once for every other step: so the cost of a rehearsal follows what
starts, not what waits.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from orchestrator.core.engine.contention import Claims
from orchestrator.core.engine.values import TaskView
from orchestrator.core.plans.rehearsing.contenders import Contenders


class Front:
    """The open tasks of a batch whose turn has come: in the lowest open run of their thread, all they need
    ended. `is_open` says of any task whether it is.
    """

    def __init__(self, batch: Mapping[str, TaskView], is_open: Callable[[str], bool]) -> None:
        #: What may be judged now; launched and parked ones are not in it until they are asked again.
        self.ready: dict[str, TaskView] = {}
        self._open = {key: view for key, view in batch.items() if view.open}
        self._with_condition = [key for key, view in self._open.items() if view.when is not None]
        #: Whose turn has come, whether they were launched since or not.
        self._reached: set[str] = set()
        self._parked: dict[str, list[str]] = defaultdict(list)
        self._contenders = Contenders(self._open.values())
        self._needs = _OpenNeeds(self._open, is_open)
        self._lanes = _Lanes(self._open)
        self._admit(self._lanes.first())

    def contenders(self) -> tuple[TaskView, ...]:
        """Launched tasks that hold something of what the ready ones want."""
        return self._contenders.against(self.ready.values())

    def conditional(self) -> Iterator[TaskView]:
        """Tasks with a condition whose turn has not come, with all they need ended."""
        for key in self._with_condition:
            if key in self._open and key not in self._reached and self._needs.are_met(key):
                yield self._open[key]

    def launch(self, key: str) -> None:
        self._contenders.add(self.ready.pop(key))

    def park(self, key: str, holder: str) -> None:
        """Judge it again when the holder has ended: nothing else lets it start."""
        del self.ready[key]
        self._parked[holder].append(key)

    def end(self, keys: Iterable[str]) -> None:
        """These tasks are complete or skipped: whoever waited for them may be ready now."""
        for key in keys:
            self._contenders.remove(self._open.pop(key))
            self.ready.pop(key, None)
            self._reached.discard(key)
            self._unpark(key)
            self._admit(self._needs.end(key))
            self._admit(self._lanes.end(key))

    def _unpark(self, holder: str) -> None:
        """Of those that want exactly the same and could not run together, all wait behind the first."""
        first: dict[Claims, str] = {}
        for key in sorted(self._parked.pop(holder, ()), key=lambda key: self._open[key].order):
            view = self._open[key]
            if view.when is None and view.claims in first:
                self._parked[first[view.claims]].append(key)
                continue
            if view.when is None and view.claims.conflict_with(view.claims):
                first[view.claims] = key
            self.ready[key] = view

    def _admit(self, keys: Iterable[str]) -> None:
        for key in keys:
            known = key in self._open and key not in self._reached
            if known and self._needs.are_met(key) and self._lanes.is_next(key):
                self._reached.add(key)
                self.ready[key] = self._open[key]


class _OpenNeeds:
    """What each task names and that has not ended yet, in whatever batch it stands."""

    def __init__(self, tasks: Mapping[str, TaskView], is_open: Callable[[str], bool]) -> None:
        self._open: dict[str, set[str]] = {}
        self._waiting: dict[str, list[str]] = defaultdict(list)
        for key, view in tasks.items():
            self._open[key] = {need for need in view.needs if is_open(need)}
            for need in self._open[key]:
                self._waiting[need].append(key)

    def are_met(self, key: str) -> bool:
        return not self._open[key]

    def end(self, key: str) -> list[str]:
        """A task has ended; answers with those that waited for it."""
        for other in self._waiting[key]:
            self._open[other].discard(key)
        return self._waiting[key]


class _Lanes:
    """The open runs of each thread: the lowest goes first, its steps together, and then join (BX-2)."""

    def __init__(self, tasks: Mapping[str, TaskView]) -> None:
        self._thread = {key: view.place.thread for key, view in tasks.items()}
        runs: dict[int, dict[int | None, set[str]]] = defaultdict(dict)
        for key, view in tasks.items():
            runs[view.place.thread].setdefault(view.run, set()).add(key)
        #: Per thread its open runs, the lowest last, each with the keys that are open in it.
        self._runs = {thread: _lowest_last(numbered) for thread, numbered in runs.items()}

    def first(self) -> Iterator[str]:
        """The steps that come first in their threads."""
        for runs in self._runs.values():
            yield from runs[-1]

    def is_next(self, key: str) -> bool:
        """Whether a step is in the lowest open run of its thread."""
        return key in self._runs[self._thread[key]][-1]

    def end(self, key: str) -> Iterable[str]:
        """A step has ended; answers with what comes next in its thread, when its run ends with it."""
        runs = self._runs[self._thread[key]]
        if key not in runs[-1]:
            for run in runs:
                run.discard(key)
            return ()
        runs[-1].remove(key)
        if runs[-1]:
            return ()
        while runs and not runs[-1]:
            runs.pop()
        return runs[-1] if runs else ()


def _lowest_last(numbered: Mapping[int | None, set[str]]) -> list[set[str]]:
    return [numbered[run] for run in sorted(numbered, key=lambda run: run or 0, reverse=True)]
