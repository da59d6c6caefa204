"""What approving a plan will do, by running the real scheduler on it (WF-3, BX-2)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from orchestrator.core.contention import Claims
from orchestrator.core.graph import critical_path
from orchestrator.core.plan import PlacedStep, Plan
from orchestrator.core.schedule import Place, Snapshot, TaskView, decide, number_runs


@dataclass(frozen=True, slots=True)
class Preview:
    """`waves` are the groups that start together when everything before them is done; `gates` maps a gate to what it
    holds back until it is signed."""

    tasks: int
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    gates: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def starts(self) -> tuple[str, ...]:
        return self.waves[0] if self.waves else ()

    @property
    def launch_order(self) -> tuple[str, ...]:
        return tuple(key for wave in self.waves for key in wave)


def preview(plan: Plan) -> Preview:
    """Simulate the plan to its end, each wave completing before the next decision. Unschedulable rests are left out."""
    views = {placed.step.key: view_of(placed) for placed in plan.placed_steps()}
    waves = list(_waves(views))
    order = [key for wave in waves for key in wave]
    return Preview(
        tasks=len(views),
        waves=tuple(waves),
        critical_path=critical_path(plan),
        gates=tuple((key, tuple(order[order.index(key) + 1 :])) for key in order if views[key].gate),
    )


def _waves(views: dict[str, TaskView]) -> Iterator[tuple[str, ...]]:
    """Batch by batch, because nothing behind a batch starts before it is complete; a batch that cannot end stops it."""
    batches: dict[tuple[int, ...], dict[str, TaskView]] = {}
    for key, view in views.items():
        batches.setdefault(view.place[:2], {})[key] = view
    done: set[str] = set()
    for place in sorted(batches):
        front = _Front(batches[place], set(views) - done)
        while launches := decide(Snapshot(tuple(front.tasks.values()))).launches:
            yield launches
            front.complete(launches)
        if front.left:
            return
        done |= batches[place].keys()


class _Front:
    """The tasks of a batch whose turn has come: in the lowest open run of their thread, with all they need complete.

    Only these are put before the scheduler: a step is looked at while it may start, not once for every other step.
    """

    def __init__(self, batch: dict[str, TaskView], not_done: set[str]) -> None:
        self.tasks: dict[str, TaskView] = {}
        self.left = len(batch)
        self._batch = batch
        ordered = sorted(batch.values(), key=lambda view: view.place)
        runs = number_runs((view.key, view.place[:3], view.parallel) for view in ordered)
        self._run = {key: (batch[key].place.thread, run) for key, run in runs.items()}
        self._open = Counter(self._run.values())
        self._needs = {key: not_done.intersection(view.needs) for key, view in batch.items()}
        self._after: dict[object, list[str]] = defaultdict(list)
        for key, (thread, run) in self._run.items():
            self._after[thread, run - 1].append(key)
            for need in self._needs[key]:
                self._after[need].append(key)
        self._admit(batch)

    def complete(self, keys: Iterable[str]) -> None:
        for key in keys:
            del self.tasks[key]
            self.left -= 1
            self._open[self._run[key]] -= 1
            for other in self._after[key]:
                self._needs[other] -= {key}
            self._admit(self._after[key])
            if not self._open[self._run[key]]:
                self._admit(self._after[self._run[key]])

    def _admit(self, keys: Iterable[str]) -> None:
        for key in keys:
            thread, run = self._run[key]
            if not self._needs[key] and not self._open[thread, run - 1]:
                self.tasks[key] = replace(self._batch[key], run=run)


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
    )
