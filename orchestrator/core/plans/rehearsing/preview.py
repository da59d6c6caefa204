"""What approving a plan will do, by running the real scheduler on it with *n* executors (WF-3, BX-2)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple

from orchestrator.core.engine.order import runs_of
from orchestrator.core.plans.graph import critical_path, step_lengths
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.rehearsing.rehearsal import Rehearsal, StepTurn, rehearse
from orchestrator.core.plans.rehearsing.script import RehearsalScript, script_of
from orchestrator.core.terms import TaskStatus

#: How many executors a preview takes when nobody says, and the most it takes.
DEFAULT_EXECUTORS: Final = 3
MOST_EXECUTORS: Final = 1_000
#: Steps behind a gate that are named; the others are counted.
HELD_NAMED: Final = 5


class Conditional(NamedTuple):
    """A step with a condition; `runs` says whether it does when every step before it ends as usual."""

    key: str
    condition: str
    runs: bool


@dataclass(frozen=True, slots=True)
class HeldSteps:
    """What a gate holds back until it is signed.

    The last `count` of the launch order, of which some are named.
    """

    key: str
    count: int
    first: tuple[str, ...]


class ThreadStep(NamedTuple):
    key: str
    launch: int


class ThreadLaunches(NamedTuple):
    """A thread with its steps and the launch each is in.

    A step that never starts, or has ended, is not in it.
    """

    stage: int
    batch: str
    thread: str
    name: str
    steps: tuple[ThreadStep, ...]


class Wait(NamedTuple):
    """The step that waits longest, how long, and the step whose end it waits for.

    With `executor` it could have started and no executor was free; otherwise the first of what it waits for
    had ended and another one, or something that holds its files, had not.
    """

    key: str
    length: int
    holder: str
    executor: bool


class Length(NamedTuple):
    """From approval to the last step.

    With one executor, with those of the preview, with as many as it takes.
    """

    one: int
    given: int
    unlimited: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`launches` are the groups that start together when everything before them is done; `gates` says what
    each gate holds back. Every step is taken to end with its usual outcome; `conditional` marks what depends
    on that.

    Of the `tasks` so many are `taken_over` as ended before; everything else here is about those that are
    left. Lengths and waits are minutes when `timed` (every work step has an estimate), and otherwise steps of
    equal length; `estimated` counts the steps with an estimate. `peak` is how many of the `executors` are
    ever busy at once, `useful` how many would be if there were enough.
    """

    tasks: int
    taken_over: int
    batches: int
    executors: int
    timed: bool
    estimated: int
    launches: tuple[tuple[str, ...], ...]
    threads: tuple[ThreadLaunches, ...]
    critical_path: tuple[str, ...]
    gates: tuple[HeldSteps, ...]
    conditional: tuple[Conditional, ...]
    peak: int
    useful: int
    length: Length
    longest_wait: Wait | None

    @property
    def starts(self) -> tuple[str, ...]:
        return self.launches[0] if self.launches else ()

    @property
    def starts_named(self) -> str:
        """“A1, B1 and E1”."""
        *others, last = self.starts or ("",)
        return f"{', '.join(others)} and {last}" if others else last

    @property
    def unit(self) -> str:
        return "minutes" if self.timed else "steps"

    @property
    def launch_order(self) -> tuple[str, ...]:
        return tuple(key for launch in self.launches for key in launch)

    @property
    def left(self) -> int:
        return self.tasks - self.taken_over

    @property
    def unreachable(self) -> int:
        """How many steps are neither launched nor skipped."""
        return (
            self.left
            - sum(map(len, self.launches))
            - sum(not conditional.runs for conditional in self.conditional)
        )


def preview(
    plan: Plan, executors: int = DEFAULT_EXECUTORS, ended: Mapping[str, TaskStatus] = MappingProxyType({})
) -> Preview:
    """Run the plan to its end, with `executors` and with other numbers of them. Unschedulable rests are left
    out.

    What has `ended` before is not run again (WF-8): complete or skipped tasks by key, as `Adoption.ended` has
    them.
    """
    lengths, timed = step_lengths(plan, ended)
    script = _script(plan, lengths, ended)
    free = rehearse(script)
    counted = free if not timed else rehearse(replace(script, lengths=dict.fromkeys(lengths, 1)))
    given = _with(script, executors, free)
    moments = groupby(counted.launches, key=itemgetter(0))
    launches = tuple(tuple(map(itemgetter(1), launched)) for _, launched in moments)
    order = [key for launch in launches for key in launch]
    return Preview(
        tasks=len(script.views),
        taken_over=len(ended),
        batches=sum(len(stage.batches) for stage in plan.stages),
        executors=executors,
        timed=timed,
        estimated=sum(step.estimate > 0 for step in plan.steps() if step.key not in ended),
        launches=launches,
        threads=tuple(_threads(plan, launches, ended)),
        critical_path=critical_path(plan, ended),
        gates=tuple(_held(order, script)),
        conditional=tuple(_conditional(script, counted)),
        peak=given.peak,
        useful=free.peak,
        length=Length(free.work, given.length, free.length),
        longest_wait=_longest_wait(plan, given),
    )


def _script(plan: Plan, lengths: Mapping[str, int], ended: Mapping[str, TaskStatus]) -> RehearsalScript:
    script = script_of(plan, lengths)
    views = {key: replace(script.views[key], status=status) for key, status in ended.items()}
    return replace(script, views={**script.views, **views})


def _with(script: RehearsalScript, executors: int, free: Rehearsal) -> Rehearsal:
    """Enough executors make no difference."""
    return free if executors >= free.peak else rehearse(script, executors)


def _threads(
    plan: Plan, launches: Iterable[Iterable[str]], ended: Collection[str]
) -> Iterator[ThreadLaunches]:
    number = {key: n for n, launch in enumerate(launches, start=1) for key in launch}
    for stage in plan.stages:
        for batch in stage.batches:
            for thread in batch.threads:
                steps = tuple(
                    ThreadStep(step.key, number[step.key]) for step in thread.steps if step.key in number
                )
                if any(step.key not in ended for step in thread.steps):
                    yield ThreadLaunches(stage.number, batch.prefix, thread.lane, thread.name, steps)


def _held(order: list[str], script: RehearsalScript) -> Iterator[HeldSteps]:
    for position, key in enumerate(order, start=1):
        if script.views[key].gate:
            yield HeldSteps(key, len(order) - position, tuple(order[position : position + HELD_NAMED]))


def _conditional(script: RehearsalScript, course: Rehearsal) -> Iterator[Conditional]:
    for key, view in script.views.items():
        if view.when is not None and view.open and key in course.ended:
            yield Conditional(key, view.when.text, course.ended[key].status is not TaskStatus.SKIPPED)


def _longest_wait(plan: Plan, course: Rehearsal) -> Wait | None:
    """The longest of all; of equal ones that of the step that starts first."""
    before = _before(plan)
    turns = {turn.key: turn for turn in course.turns}
    waits = [wait for turn in course.turns for wait in _waits(turn, before[turn.key], turns)]
    return max(waits, key=lambda wait: wait.length, default=None)


def _waits(turn: StepTurn, before: Iterable[str], turns: Mapping[str, StepTurn]) -> Iterator[Wait]:
    if turn.started > turn.launched:
        yield Wait(turn.key, turn.started - turn.launched, turn.freed_by, executor=True)
    ends = [turns[key] for key in before if key in turns]
    since = min((other.ended for other in ends), default=turn.launched)
    if turn.launched > since:
        last = max(ends, key=lambda other: other.ended)
        yield Wait(
            turn.key, turn.launched - since, last.key if last.ended == turn.launched else "", executor=False
        )


def _before(plan: Plan) -> dict[str, list[str]]:
    """What each step names, and the step before it in its thread.

    Of neighbouring parallel ones all wait for that.
    """
    before: dict[str, list[str]] = {}
    for stage in plan.stages:
        for thread in (thread for batch in stage.batches for thread in batch.threads):
            runs = runs_of(step.parallel for step in thread.steps)
            last = {run: step.key for run, step in zip(runs, thread.steps, strict=True)}
            for run, step in zip(runs, thread.steps, strict=True):
                before[step.key] = [need.key for need in step.needs]
                if run:
                    before[step.key].append(last[run - 1])
    return before
