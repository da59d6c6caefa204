"""A plan run to its end by the real scheduler, with as many executors as are given (WF-3, BX-2).

Every step ends with its usual outcome. A launched task waits in launch order for an executor; a gate takes
none.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import NamedTuple

from orchestrator.core.engine.conditions import Ended, When, steps_named
from orchestrator.core.engine.schedule import decide
from orchestrator.core.engine.values import Snapshot, TaskView
from orchestrator.core.plans.rehearsing.front import Front
from orchestrator.core.plans.rehearsing.script import RehearsalScript, script_of_tasks
from orchestrator.core.terms import Reason, TaskStatus


class StepTurn(NamedTuple):
    """When a step is launched, starts and ends.

    `freed_by` is the step whose end let an executor start this one.
    """

    key: str
    launched: int
    started: int
    ended: int
    freed_by: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`turns` in the order in which they start, `launches` with their moment in launch order; `peak` is how
    many executors were ever busy at once."""

    turns: tuple[StepTurn, ...]
    launches: tuple[tuple[int, str], ...]
    ended: Mapping[str, Ended]
    peak: int

    @property
    def length(self) -> int:
        return max((turn.ended for turn in self.turns), default=0)

    @property
    def work(self) -> int:
        """How long it takes one executor, who is never idle while something can be done.

        All of it, one by one.
        """
        return sum(turn.ended - turn.started for turn in self.turns)


def rehearse(script: RehearsalScript, executors: int | None = None) -> Rehearsal:
    """Run it; None is as many executors as it takes. What can never start has no turn."""
    return _Performance(script, executors).run()


def never_reached(views: Mapping[str, TaskView]) -> tuple[str, ...]:
    """Keys of tasks that nothing ever launches or skips, though everything launched is completed."""
    ended = rehearse(script_of_tasks(views)).ended
    return tuple(key for key in views if key not in ended)


class _Performance:
    """Batch by batch, because nothing behind a batch starts before it is complete.

    One that cannot end stops it.
    """

    def __init__(self, script: RehearsalScript, executors: int | None) -> None:
        self._script, self._executors = script, executors
        self._ended = {
            key: Ended(key, view.status, script.usual.get(key, ""))
            for key, view in script.views.items()
            if not view.open
        }
        self._turns: list[StepTurn] = []
        self._launches: list[tuple[int, str]] = []
        self._clock = self._busy = self._peak = 0
        #: Launched and not started, in launch order; running ones by their end.
        self._queue: deque[tuple[str, int]] = deque()
        self._running: list[tuple[int, int, str]] = []

    def run(self) -> Rehearsal:
        batches: dict[tuple[int, ...], dict[str, TaskView]] = {}
        for key, view in self._script.views.items():
            batches.setdefault(view.place[:2], {})[key] = view
        for place in sorted(batches):
            self._batch(batches[place])
            if not batches[place].keys() <= self._ended.keys():
                break
        return Rehearsal(tuple(self._turns), tuple(self._launches), self._ended, self._peak)

    def _batch(self, batch: Mapping[str, TaskView]) -> None:
        front = Front(batch, self._is_open)
        freed: deque[str] = deque()
        while True:
            while self._round(front):
                pass
            self._start(freed)
            if not self._running:
                return
            freed = deque(key for key in self._next_ends(front) if not batch[key].gate)

    def _is_open(self, key: str) -> bool:
        return key in self._script.views and key not in self._ended

    def _round(self, front: Front) -> bool:
        """One decision; True when it skipped something, which may let others start."""
        judged = [self._judged(view) for view in front.ready.values()]
        decision = decide(Snapshot(tuple(judged), context=front.contenders())) if judged else None
        early = [self._judged(view) for view in front.conditional()]
        skips = decide(Snapshot(tuple(early))).skips if early else ()
        if decision is not None:
            for verdict in decision.verdicts:
                if verdict.reason is Reason.RESOURCE:
                    front.park(verdict.key, verdict.holder)
            for key in decision.launches:
                front.launch(key)
                self._launched(key)
            skips += decision.skips
        for key in skips:
            self._ended[key] = Ended(key, TaskStatus.SKIPPED, "")
        front.end(skips)
        return bool(skips)

    def _launched(self, key: str) -> None:
        """Work waits for an executor, a gate for a person who is taken to be there."""
        self._launches.append((self._clock, key))
        if self._script.views[key].gate:
            self._begin(key, self._clock)
        else:
            self._queue.append((key, self._clock))

    def _judged(self, view: TaskView) -> TaskView:
        """The view with how the steps that its condition names have ended."""
        if view.when is None:
            return view
        named = tuple(self._ended[key] for key in steps_named(view.when.text) if key in self._ended)
        return replace(view, when=When(view.when.text, named, self._script.parameters))

    def _start(self, freed: deque[str]) -> None:
        """Executors take what was launched first."""
        while self._queue and (self._executors is None or self._busy < self._executors):
            key, launched = self._queue.popleft()
            self._busy += 1
            self._peak = max(self._peak, self._busy)
            self._begin(key, launched, freed.popleft() if freed and launched < self._clock else "")

    def _begin(self, key: str, launched: int, freed_by: str = "") -> None:
        ends = self._clock + self._script.lengths.get(key, 1)
        heappush(self._running, (ends, len(self._turns), key))
        self._turns.append(StepTurn(key, launched, self._clock, ends, freed_by))

    def _next_ends(self, front: Front) -> list[str]:
        """Go on to the next moment at which something ends: everything that ends then."""
        self._clock, done = self._running[0][0], []
        while self._running and self._running[0][0] == self._clock:
            key = heappop(self._running)[2]
            self._busy -= not self._script.views[key].gate
            self._ended[key] = Ended(key, TaskStatus.COMPLETE, self._script.usual.get(key, ""))
            done.append(key)
        front.end(done)
        return done
