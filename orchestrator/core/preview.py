"""What approving a plan will do, by running the real scheduler on it (WF-3, BX-2)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from orchestrator.core.conditions import Ended, When, steps_named
from orchestrator.core.graph import critical_path
from orchestrator.core.plan import PlacedStep, Plan
from orchestrator.core.schedule import Claims, Place, Snapshot, TaskView, decide
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
        later = {key for key, view in batch.items() if _needs_later(view, self.views)}
        while True:
            decision = decide(Snapshot(tuple(self._judged(view) for view in batch.values())))
            launches = tuple(key for key in decision.launches if key not in later)
            if not launches and not decision.skips:
                return
            if launches:
                yield launches
            for key in launches:
                self._end(key, batch, TaskStatus.COMPLETE, self.usual.get(key, ""))
            for key in decision.skips:
                self._end(key, batch, TaskStatus.SKIPPED, "")

    def _judged(self, view: TaskView) -> TaskView:
        """The view with how the steps that its condition names have ended."""
        if view.when is None:
            return view
        named = tuple(self.ended[key] for key in steps_named(view.when.text) if key in self.ended)
        return replace(view, when=When(view.when.text, named, self.parameters))

    def _end(self, key: str, batch: dict[str, TaskView], status: TaskStatus, result: str) -> None:
        batch[key] = replace(batch[key], status=status)
        self.ended[key] = Ended(key, status, result)


def _needs_later(view: TaskView, views: Mapping[str, TaskView]) -> bool:
    return any(views[key].place[:2] > view.place[:2] for key in view.needs if key in views)


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
        when=When(step.when) if step.when and step.gate is None else None,
    )
