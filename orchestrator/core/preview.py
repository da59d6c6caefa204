"""What approving a plan will do, by running the real scheduler on it (WF-3, BX-2)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchestrator.core.contention import Claims
from orchestrator.core.graph import critical_path
from orchestrator.core.plan import PlacedStep, Plan
from orchestrator.core.schedule import Place, Snapshot, TaskView, decide
from orchestrator.core.terms import TaskStatus


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
    for place in sorted(batches):
        batch = batches[place]
        later = {key for key, view in batch.items() if _needs_later(view, views)}
        while launches := [k for k in decide(Snapshot(tuple(batch.values()))).launches if k not in later]:
            yield tuple(launches)
            for key in launches:
                batch[key] = replace(batch[key], status=TaskStatus.COMPLETE)
        if any(view.open for view in batch.values()):
            return


def _needs_later(view: TaskView, views: dict[str, TaskView]) -> bool:
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
    )
