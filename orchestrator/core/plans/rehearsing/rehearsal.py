"""A plan run to its end by the real scheduler, with as many executors as are given (WF-3, BX-2).

Every step ends with its usual outcome. A launched task waits in launch order for an executor; a gate takes
none. Only tasks that may start are put before the scheduler, so the cost follows what starts, not what waits.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappop, heappush
from itertools import groupby, islice
from typing import NamedTuple

from orchestrator.core.engine.conditions import Ended, When, steps_named
from orchestrator.core.engine.contention import Claims, Held
from orchestrator.core.engine.order import Place, number_runs
from orchestrator.core.engine.schedule import decide
from orchestrator.core.engine.values import Snapshot, TaskView
from orchestrator.core.plans.plan import PlacedStep, Plan
from orchestrator.core.terms import AttemptStatus, Reason, TaskStatus


class Turn(NamedTuple):
    """When a step is launched, starts and ends; `freed_by` is the step whose end let an executor start this
    one.
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

    turns: tuple[Turn, ...]
    launches: tuple[tuple[int, str], ...]
    ended: Mapping[str, Ended]
    peak: int

    @property
    def length(self) -> int:
        return max((turn.ended for turn in self.turns), default=0)

    @property
    def work(self) -> int:
        """How long it takes one executor, who is never idle while something can be done: all of it, one by
        one.
        """
        return sum(turn.ended - turn.started for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Script:
    """What is rehearsed: the tasks with the number of their run, the outcome each usually has, how long each
    takes.
    """

    views: Mapping[str, TaskView]
    usual: Mapping[str, str]
    parameters: tuple[tuple[str, str], ...]
    lengths: Mapping[str, int]


def script_of(plan: Plan, lengths: Mapping[str, int]) -> Script:
    placed = {one.step.key: one for one in plan.placed_steps()}
    ordered = sorted(placed.values(), key=lambda one: one.place)
    runs = number_runs((one.step.key, one.place[:3], one.step.parallel) for one in ordered)
    views = {key: view_of(one, runs[key]) for key, one in placed.items()}
    usual = {step.key: next(iter(step.outcomes), "") for step in plan.steps()}
    return Script(views, usual, plan.parameters, lengths)


def rehearse(script: Script, executors: int | None = None) -> Rehearsal:
    """Run it; None is as many executors as it takes. What can never start has no turn."""
    return _Performance(script, executors).run()


def never_reached(views: Mapping[str, TaskView]) -> tuple[str, ...]:
    """Keys of tasks that nothing ever launches or skips, although everything that is launched is
    completed.
    """
    ended = rehearse(Script(_numbered(views), {}, (), {})).ended
    return tuple(key for key in views if key not in ended)


def _numbered(views: Mapping[str, TaskView]) -> dict[str, TaskView]:
    ordered = sorted(views.values(), key=lambda view: view.place)
    runs = number_runs((view.key, view.place[:3], view.parallel) for view in ordered)
    return {
        key: view if view.run == runs[key] else replace(view, run=runs[key]) for key, view in views.items()
    }


class _Performance:
    """Batch by batch, because nothing behind a batch starts before it is complete; one that cannot end stops
    it.
    """

    def __init__(self, script: Script, executors: int | None) -> None:
        self._script, self._executors = script, executors
        self._ended = {
            key: Ended(key, view.status, script.usual.get(key, ""))
            for key, view in script.views.items()
            if not view.open
        }
        self._turns: list[Turn] = []
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
        front = _Front(batch, self._is_open)
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

    def _round(self, front: "_Front") -> bool:
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
        self._turns.append(Turn(key, launched, self._clock, ends, freed_by))

    def _next_ends(self, front: "_Front") -> list[str]:
        """Go on to the next moment at which something ends: everything that ends then."""
        self._clock, done = self._running[0][0], []
        while self._running and self._running[0][0] == self._clock:
            key = heappop(self._running)[2]
            self._busy -= not self._script.views[key].gate
            self._ended[key] = Ended(key, TaskStatus.COMPLETE, self._script.usual.get(key, ""))
            done.append(key)
        front.end(done)
        return done


class _Contention:
    """Who is live and may contend: claims in pieces, because one live holder of a piece is enough to wait
    for.
    """

    def __init__(self, views: Iterable[TaskView]) -> None:
        self._views = tuple(views)
        self._live: dict[Claims, dict[str, TaskView]] = {}
        self._rivals: dict[Claims, list[Claims]] = {}

    def add(self, view: TaskView) -> None:
        for piece in _pieces(view.claims):
            self._live.setdefault(piece, {})[view.key] = view

    def remove(self, view: TaskView) -> None:
        for piece in _pieces(view.claims):
            holders = self._live.get(piece, {})
            if holders.pop(view.key, None) and not holders:
                del self._live[piece]

    def against(self, views: Iterable[TaskView]) -> tuple[TaskView, ...]:
        if not self._live:
            return ()
        pieces = dict.fromkeys(piece for view in views for piece in _pieces(view.claims))
        rivals = dict.fromkeys(
            rival for piece in pieces for rival in self._rivals_of(piece) if rival in self._live
        )
        holders = {view.key: view for rival in rivals for view in islice(self._live[rival].values(), 1)}
        return tuple(replace(view, live=AttemptStatus.QUEUED) for view in holders.values())

    def _rivals_of(self, piece: Claims) -> list[Claims]:
        if piece not in self._rivals:
            wanted, held = self._wanted
            self._rivals[piece] = [wanted[number] for number in sorted(held.conflicts(piece))]
        return self._rivals[piece]

    @cached_property
    def _wanted(self) -> tuple[list[Claims], Held]:
        """Every piece that somebody wants; in many plans nobody ever has to ask."""
        held = Held()
        wanted = list(dict.fromkeys(piece for view in self._views for piece in _pieces(view.claims)))
        for piece in wanted:
            held.add(piece)
        return wanted, held


def _pieces(claims: Claims) -> Iterator[Claims]:
    if claims.lane_files:
        yield Claims(claims.lane, claims.lane_files)
    if claims.files:
        yield Claims(claims.lane, (), claims.files)
    for name in claims.resources:
        yield Claims(resources=(name,))


class _Front:
    """The open tasks of a batch whose turn has come: in the lowest open run of their thread, all they need
    ended.

    Only these are put before the scheduler: a step is looked at while it may start, not once for every other
    step.
    """

    def __init__(self, batch: Mapping[str, TaskView], is_open: Callable[[str], bool]) -> None:
        #: What may be judged now; launched and parked ones are not in it until they are asked again.
        self.ready: dict[str, TaskView] = {}
        self._turn: set[str] = set()
        self._contention = _Contention(view for view in batch.values() if view.open)
        self._parked: dict[str, list[str]] = defaultdict(list)
        self._open = {key: view for key, view in batch.items() if view.open}
        self._with_condition = [key for key, view in self._open.items() if view.when is not None]
        self._lane = {key: (view.place.thread, view.run) for key, view in self._open.items()}
        self._needs = {
            key: {need for need in view.needs if is_open(need)} for key, view in self._open.items()
        }
        self._after: dict[str, list[str]] = defaultdict(list)
        for key, needs in self._needs.items():
            for need in needs:
                self._after[need].append(key)
        #: Per thread its open runs, the lowest last, each with the keys that are open in it.
        self._runs: dict[int, list[set[str]]] = {}
        for (thread, _), keys in groupby(
            sorted(self._open, key=self._lane.__getitem__, reverse=True), self._lane.__getitem__
        ):
            self._runs.setdefault(thread, []).append(set(keys))
        self._admit(key for runs in self._runs.values() for key in runs[-1])

    def contenders(self) -> tuple[TaskView, ...]:
        return self._contention.against(self.ready.values())

    def launch(self, key: str) -> None:
        self._contention.add(self.ready.pop(key))

    def park(self, key: str, holder: str) -> None:
        """Judge it again when the holder has ended: nothing else lets it start."""
        del self.ready[key]
        self._parked[holder].append(key)

    def _unpark(self, holder: str) -> None:
        """Of those that want exactly the same and could not run together, the others wait behind
        the first.
        """
        first: dict[Claims, str] = {}
        for key in sorted(self._parked.pop(holder, ()), key=lambda key: self._open[key].order):
            claims = self._open[key].claims
            if claims in first and self._open[key].when is None:
                self._parked[first[claims]].append(key)
                continue
            if claims.conflict_with(claims) and self._open[key].when is None:
                first[claims] = key
            self.ready[key] = self._open[key]

    def end(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._contention.remove(self._open.pop(key))
            self.ready.pop(key, None)
            self._turn.discard(key)
            self._unpark(key)
            for other in self._after[key]:
                self._needs[other].discard(key)
            self._admit(self._after[key])
            self._admit(self._join(key))

    def _join(self, key: str) -> Iterable[str]:
        """What comes next in the thread when its lowest run ends with this step."""
        runs = self._runs[self._lane[key][0]]
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

    def conditional(self) -> Iterator[TaskView]:
        """Tasks with a condition whose turn has not come, with all they need ended."""
        waiting = (key for key in self._with_condition if key in self._open and key not in self._turn)
        return (self._open[key] for key in waiting if not self._needs[key])

    def _admit(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in self._open or key in self._turn or self._needs[key]:
                continue
            if key in self._runs[self._lane[key][0]][-1]:
                self._turn.add(key)
                self.ready[key] = self._open[key]


def view_of(placed: PlacedStep, run: int | None = None) -> TaskView:
    """A step of an unapproved plan as the scheduler will see it; `run` is the number of its run where it is
    known.
    """
    step, thread = placed.step, placed.thread
    return TaskView(
        key=step.key,
        place=Place(*placed.place),
        gate=step.gate is not None,
        parallel=step.parallel,
        needs=tuple(need.key for need in step.needs),
        claims=Claims(thread.lane, thread.files, step.files, step.resources),
        reviewers=step.gate.reviewers if step.gate else (),
        signatures=step.gate.signatures if step.gate else 1,
        run=run,
        when=When(step.when) if step.when and step.gate is None else None,
    )
