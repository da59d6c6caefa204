"""What approving a plan will do, by running the real scheduler on it (WF-3, BX-2)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from orchestrator.core.conditions import Ended, When, steps_named
from orchestrator.core.contention import Claims
from orchestrator.core.graph import critical_path
from orchestrator.core.plan import PlacedStep, Plan
from orchestrator.core.schedule import Place, Snapshot, TaskView, decide, number_runs
from orchestrator.core.terms import TaskStatus


class Conditional(NamedTuple):
    """A step with a condition; `runs` says whether it does when every step before it ends as usual."""

    key: str
    condition: str
    runs: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """`waves` are the groups that start together when everything before them is done; `gates` maps a gate to what it
    holds back until it is signed. Every step is taken to end with its usual outcome; `conditional` marks what depends
    on that."""

    tasks: int
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    gates: tuple[tuple[str, tuple[str, ...]], ...]
    conditional: tuple[Conditional, ...] = ()

    @property
    def starts(self) -> tuple[str, ...]:
        return self.waves[0] if self.waves else ()

    @property
    def launch_order(self) -> tuple[str, ...]:
        return tuple(key for wave in self.waves for key in wave)

    @property
    def unreachable(self) -> int:
        """How many steps are neither launched nor skipped."""
        return self.tasks - len(self.launch_order) - sum(not conditional.runs for conditional in self.conditional)


def preview(plan: Plan) -> Preview:
    """Simulate the plan to its end, each wave completing before the next decision. Unschedulable rests are left out."""
    views = {placed.step.key: view_of(placed) for placed in plan.placed_steps()}
    usual = {step.key: next(iter(step.outcomes), "") for step in plan.steps()}
    course = _Course(views, usual, plan.parameters)
    waves = tuple(course.waves())
    order = [key for wave in waves for key in wave]
    return Preview(
        tasks=len(course.views),
        waves=waves,
        critical_path=critical_path(plan),
        gates=tuple((key, tuple(order[order.index(key) + 1 :])) for key in order if course.views[key].gate),
        conditional=tuple(course.conditional()),
    )


def never_reached(views: Mapping[str, TaskView]) -> tuple[str, ...]:
    """Keys of tasks that nothing ever launches or skips, although everything that is launched is completed."""
    course = _Course(views, {}, ())
    for _ in course.waves():
        pass
    return tuple(key for key in views if key not in course.ended)


class _Course:
    """What happens when every step ends with its usual outcome; `ended` grows as the waves are asked for."""

    def __init__(
        self, views: Mapping[str, TaskView], usual: Mapping[str, str], parameters: tuple[tuple[str, str], ...]
    ) -> None:
        self.views, self.usual, self.parameters = views, usual, parameters
        self.ended = {key: Ended(key, view.status, usual.get(key, "")) for key, view in views.items() if not view.open}

    def waves(self) -> Iterator[tuple[str, ...]]:
        """Batch by batch, because nothing behind a batch starts before it is complete; one that cannot end stops it."""
        batches: dict[tuple[int, ...], dict[str, TaskView]] = {}
        for key, view in self.views.items():
            batches.setdefault(view.place[:2], {})[key] = view
        for place in sorted(batches):
            batch = batches[place]
            yield from self._batch(batch)
            if any(view.open for view in batch.values()):
                return

    def conditional(self) -> Iterator[Conditional]:
        for key, view in self.views.items():
            if view.when is not None and key in self.ended:
                yield Conditional(key, view.when.text, self.ended[key].status is not TaskStatus.SKIPPED)

    def _batch(self, batch: dict[str, TaskView]) -> Iterator[tuple[str, ...]]:
        front = _Front(batch, {key for key, view in self.views.items() if view.open} - self.ended.keys())
        while True:
            decision = decide(Snapshot(tuple(self._judged(view) for view in front.turn.values())))
            skips = decision.skips + self._skipped_early(front)
            if not decision.launches and not skips:
                return
            if decision.launches:
                yield decision.launches
            for key in decision.launches:
                self._end(key, batch, TaskStatus.COMPLETE, self.usual.get(key, ""))
            for key in skips:
                self._end(key, batch, TaskStatus.SKIPPED, "")
            front.end((*decision.launches, *skips))

    def _skipped_early(self, front: "_Front") -> tuple[str, ...]:
        """A condition is judged before the lane rule, so a step may be skipped before its turn in the thread."""
        return decide(Snapshot(tuple(self._judged(view) for view in front.conditional()))).skips

    def _judged(self, view: TaskView) -> TaskView:
        """The view with how the steps that its condition names have ended."""
        if view.when is None:
            return view
        named = tuple(self.ended[key] for key in steps_named(view.when.text) if key in self.ended)
        return replace(view, when=When(view.when.text, named, self.parameters))

    def _end(self, key: str, batch: dict[str, TaskView], status: TaskStatus, result: str) -> None:
        batch[key] = replace(batch[key], status=status)
        self.ended[key] = Ended(key, status, result)


class _Front:
    """The open tasks of a batch whose turn has come: in the lowest open run of their thread, all they need ended.

    Only these are put before the scheduler: a step is looked at while it may start, not once for every other step.
    """

    def __init__(self, batch: Mapping[str, TaskView], open_: Set[str]) -> None:
        ordered = sorted(batch.values(), key=lambda view: view.place)
        runs = number_runs((view.key, view.place[:3], view.parallel) for view in ordered)
        self.turn: dict[str, TaskView] = {}
        self._open = {key: replace(view, run=runs[key]) for key, view in batch.items() if view.open}
        self._lane = {key: (view.place.thread, runs[key]) for key, view in self._open.items()}
        self._needs = {key: {need for need in view.needs if need in open_} for key, view in self._open.items()}
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

    def end(self, keys: Iterable[str]) -> None:
        for key in keys:
            del self._open[key]
            self.turn.pop(key, None)
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
        waiting = (key for key, view in self._open.items() if view.when is not None and key not in self.turn)
        return (self._open[key] for key in waiting if not self._needs[key])

    def _admit(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key in self._open and not self._needs[key] and key in self._runs[self._lane[key][0]][-1]:
                self.turn[key] = self._open[key]


def view_of(placed: PlacedStep) -> TaskView:
    """A step of an unapproved plan as the scheduler will see it."""
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
        when=When(step.when) if step.when and step.gate is None else None,
    )
