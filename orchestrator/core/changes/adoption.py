"""What becomes of the state that a source tells of its tasks, when the plan is approved with it (WF-8).

Nothing is taken over that the order rules would not have let happen: a task stands as complete only when
everything that it waits for does. What was done behind a gate is held until a person signs that gate here,
because a gate is never taken over as signed; what was done out of order is done again.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from typing import Final, NamedTuple

from orchestrator.core.engine.order import number_runs
from orchestrator.core.engine.schedule import decide
from orchestrator.core.engine.values import Snapshot
from orchestrator.core.plans.action import ACTION
from orchestrator.core.plans.plan import PlacedStep, Plan, Progress, Reading, StepSpec
from orchestrator.core.plans.rehearsing.script import view_of
from orchestrator.core.terms import TaskStatus

#: Longest text of the source that is repeated in what history and files say.
_TOLD: Final = 4_000


class AdoptedAs(StrEnum):
    """What becomes of one task that its source says something about."""

    COMPLETE = "complete"
    HELD = "held"
    RESUMED = "resumed"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    AGAIN = "again"
    SIGNED_HERE = "signed-here"


@dataclass(frozen=True, slots=True)
class Adopted:
    """One task: what its source said, what it becomes and why. `before` are the steps that it works from."""

    key: str
    said: Progress
    becomes: AdoptedAs
    because: str = ""
    before: tuple[str, ...] = ()

    @property
    def status(self) -> TaskStatus:
        return _STATUS.get(self.becomes, TaskStatus.PENDING)

    @property
    def breadcrumb(self) -> str:
        """What was done last, for whoever goes on: as the source tells it, or that it tells no more."""
        who = f" ({self.said.agent})" if self.said.agent else ""
        told = self.said.breadcrumb or self.said.report or f"The source says {self.said.status}, and no more."
        return f"{told[:_TOLD]}{who}"

    @property
    def reason(self) -> str:
        """Why the task stands as it does, for history."""
        line = f", line {self.said.line}" if self.said.line else ""
        return f"The source says {self.said.status}{line}. {self.because}".strip()


@dataclass(frozen=True, slots=True)
class Adoption:
    """The verdicts in plan order, and what the scheduler then starts."""

    verdicts: tuple[Adopted, ...] = ()
    starts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.verdicts)

    def those(self, becomes: AdoptedAs) -> tuple[Adopted, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.becomes is becomes)

    @property
    def ended(self) -> Mapping[str, TaskStatus]:
        """Complete and skipped tasks by key, which nobody does here: what a preview of the rest leaves out.

        Among them is what is held behind gates: it takes no time once they are signed.
        """
        done = {verdict.key: TaskStatus.COMPLETE for verdict in self.verdicts if verdict.becomes in _DONE}
        return done | {one.key: TaskStatus.SKIPPED for one in self.those(AdoptedAs.SKIPPED)}

    @property
    def blocked(self) -> int:
        return len(self.those(AdoptedAs.BLOCKED))

    @property
    def counts(self) -> Mapping[AdoptedAs, int]:
        """How many of each, in the order of the words; those that nothing becomes are left out."""
        found = Counter(verdict.becomes for verdict in self.verdicts)
        return {word: found[word] for word in AdoptedAs if found[word]}

    @property
    def sentences(self) -> tuple[str, ...]:
        """“2 tasks stand as complete”, and so on: what a reviewer decides on."""
        return tuple(_sentence(word, count) for word, count in self.counts.items())


#: What one of them does, and what several do.
_WORDS: Final = {
    AdoptedAs.COMPLETE: ("task stands as complete", "tasks stand as complete"),
    AdoptedAs.HELD: (
        "more task stands as complete once the gate before it is signed",
        "more tasks stand as complete once the gates before them are signed",
    ),
    AdoptedAs.RESUMED: (
        "task starts again, with what was done last",
        "tasks start again, with what was done last",
    ),
    AdoptedAs.BLOCKED: ("task is blocked", "tasks are blocked"),
    AdoptedAs.SKIPPED: ("task is skipped", "tasks are skipped"),
    AdoptedAs.AGAIN: ("task is done again", "tasks are done again"),
    AdoptedAs.SIGNED_HERE: ("gate is signed here", "gates are signed here"),
}


def _sentence(word: AdoptedAs, count: int) -> str:
    one, several = _WORDS[word]
    return f"{count} {one if count == 1 else several}"


_STATUS: Final = {
    AdoptedAs.COMPLETE: TaskStatus.COMPLETE,
    AdoptedAs.BLOCKED: TaskStatus.BLOCKED,
    AdoptedAs.SKIPPED: TaskStatus.SKIPPED,
}
_DONE: Final = frozenset({AdoptedAs.COMPLETE, AdoptedAs.HELD})
_DROPPED: Final = frozenset({TaskStatus.CANCELLED, TaskStatus.SKIPPED})
_BEGUN: Final = frozenset({TaskStatus.ACTIVE, TaskStatus.REVIEW})


class _Open(NamedTuple):
    """What keeps a step from counting as complete.

    A step that is not done, or else a gate that is not signed.
    """

    step: str = ""
    gate: str = ""

    def __or__(self, other: "_Open") -> "_Open":
        return _Open(self.step or other.step, self.gate or other.gate)


def adoption_of(reading: Reading) -> Adoption:
    """What becomes of the state that a source tells, if the plan is approved with it."""
    return adopt(reading.plan, reading.progress) if reading.plan and reading.progress else Adoption()


def adopt(plan: Plan, progress: Iterable[Progress], settled: Mapping[str, bool] | None = None) -> Adoption:
    """The verdict on every task that the source tells something of.

    `settled` has the tasks about which something is settled already: true for one that stands as the source
    had it, and for a gate that is signed; false for one that is open, or whose result is another one by now.
    They get no verdict. A plan whose steps wait for one another in a circle gets none at all.
    """
    settled = settled or {}
    said = {one.key: one for one in progress}
    placed = list(plan.placed_steps())
    try:
        found = _Judge(placed, said, settled).verdicts()
    except CycleError:
        return Adoption()
    return Adoption(found, () if settled else _starts(placed, found))


def unchanged(progress: Iterable[Progress], then: Plan, now: Plan) -> tuple[Progress, ...]:
    """What still counts under another version: the steps that it defines as they were."""
    before = {step.key: _bare(step) for step in then.steps()}
    here = {step.key: _bare(step) for step in now.steps()}
    return tuple(
        state for state in progress if state.key in here and here[state.key] == before.get(state.key)
    )


def _bare(step: StepSpec) -> StepSpec:
    return replace(step, needs=tuple(sorted(set(step.needs), key=lambda need: need.key)))


class _Judge:
    """Walks the steps in an order in which everything before a step is judged before it."""

    def __init__(
        self, placed: list[PlacedStep], said: Mapping[str, Progress], settled: Mapping[str, bool]
    ) -> None:
        self._placed = {one.step.key: one for one in placed}
        self._said, self._settled = said, settled
        self._runs = number_runs((p.step.key, p.place[:3], p.step.parallel) for p in placed)
        #: What each step, run of a thread and batch leaves open.
        self._open: dict[Hashable, _Open] = {}
        self._verdicts: dict[str, Adopted] = {}
        self._edges = dict(self._groups(placed))

    def verdicts(self) -> tuple[Adopted, ...]:
        for node in TopologicalSorter(self._edges).static_order():
            before = _Open()
            for other in self._edges.get(node, ()):
                before |= self._open[other]
            self._open[node] = self._step(node, before) if isinstance(node, str) else before
        return tuple(self._verdicts[key] for key in self._placed if key in self._verdicts)

    def _groups(self, placed: list[PlacedStep]) -> Iterator[tuple[Hashable, tuple[Hashable, ...]]]:
        """Node -> what it waits for: named steps, the runs before in the thread, the batches before."""
        last_batch: Hashable | None = None
        for batch, in_batch in groupby(placed, key=lambda one: one.place[:2]):
            members = list(in_batch)
            first = () if last_batch is None else (last_batch,)
            runs: dict[tuple[int, ...], list[str]] = {}
            for one in members:
                runs.setdefault((*one.place[:3], self._runs[one.step.key]), []).append(one.step.key)
            for run, keys in runs.items():
                lane = (*run[:3], run[3] - 1)
                before = ((("run", *lane),) if lane in runs else ()) + first
                yield ("run", *run), (*keys, *before)
                for key in keys:
                    yield key, (*self._named(key), *before)
            yield ("batch", *batch), (*(member.step.key for member in members), *first)
            last_batch = ("batch", *batch)

    def _named(self, key: str) -> Iterator[str]:
        return (need.key for need in self._placed[key].step.needs if need.key in self._placed)

    def _step(self, key: str, before: _Open) -> _Open:
        """What the step leaves open behind it."""
        step = self._placed[key].step
        if key in self._settled:
            return _Open() if self._settled[key] else _still_open(step)
        if key in self._said:
            self._judge(step, self._said[key], before)
        verdict = self._verdicts.get(key)
        if verdict is None or verdict.status is TaskStatus.PENDING:
            return before if verdict and verdict.becomes is AdoptedAs.HELD else _still_open(step)
        return _still_open(step) if verdict.becomes is AdoptedAs.BLOCKED else _Open()

    def _judge(self, step: StepSpec, said: Progress, before: _Open) -> None:
        becomes, because = _verdict(step, said, before)
        if becomes is not None:
            at = tuple(self._before(step.key)) if becomes in {AdoptedAs.COMPLETE, AdoptedAs.HELD} else ()
            self._verdicts[step.key] = Adopted(step.key, said, becomes, because, at)

    def _before(self, key: str) -> Iterator[str]:
        """The steps that this one works from, as `queries.upstream` has them.

        Named, and the run or batch before.
        """
        near = [node for node in self._edges[key] if not isinstance(node, str)]
        yield from self._named(key)
        yield from (one for one in self._edges.get(near[0], ()) if isinstance(one, str)) if near else ()


def _still_open(step: StepSpec) -> _Open:
    """The step that runs a gate's action belongs to the gate: no source can tell of it."""
    return _Open(gate=step.key) if step.gate or ACTION in step.inferred else _Open(step=step.key)


def _verdict(step: StepSpec, said: Progress, before: _Open) -> tuple[AdoptedAs | None, str]:
    """What one step becomes and why; None when there is nothing to take over."""
    if said.status is TaskStatus.BLOCKED:
        return AdoptedAs.BLOCKED, "It is blocked here too, until somebody resolves it."
    if step.gate:
        over = said.status is TaskStatus.COMPLETE or said.status in _DROPPED
        return (AdoptedAs.SIGNED_HERE, "A gate is signed here, by a person.") if over else (None, "")
    if said.status in _DROPPED:
        return AdoptedAs.SKIPPED, "It is skipped here; what stands behind it goes on."
    if said.status is TaskStatus.COMPLETE:
        return _completed(step, before)
    if said.status in _BEGUN or said.breadcrumb or said.report:
        return AdoptedAs.RESUMED, "It starts again, with what was done last."
    return None, ""


def _completed(step: StepSpec, before: _Open) -> tuple[AdoptedAs, str]:
    if step.outcomes:
        return (
            AdoptedAs.AGAIN,
            f"It is done again: it ends as {' or '.join(step.outcomes)}, and the source has no word.",
        )
    if before.step:
        return AdoptedAs.AGAIN, f"It is done again: {before.step}, which comes before it, is not done."
    if before.gate:
        return AdoptedAs.HELD, f"It stands as complete once {before.gate} is signed."
    return AdoptedAs.COMPLETE, "It stands as complete."


def _starts(placed: Iterable[PlacedStep], verdicts: Iterable[Adopted]) -> tuple[str, ...]:
    """What the real scheduler starts first, with everything that is taken over in its place."""
    status = {one.key: one for one in verdicts}
    views = []
    for one in placed:
        view, verdict = view_of(one), status.get(one.step.key)
        blocked = verdict.breadcrumb if verdict and verdict.becomes is AdoptedAs.BLOCKED else ""
        views.append(replace(view, status=verdict.status, blocker=blocked) if verdict else view)
    return decide(Snapshot(tuple(views))).launches
