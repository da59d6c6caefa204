"""The scheduler: a pure function from a snapshot to a decision (FR-005, design section 3).

The same snapshot always gives the same decision. Nobody else decides, and nobody else explains: a verdict
carries the reason, the holder and the sentence that users read (FR-015). Cost is linear in the tasks of the
snapshot, and a snapshot of the open frontier gives its tasks the verdicts that the whole workstream would
give them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from orchestrator.core.engine import explain
from orchestrator.core.engine.conditions import judge
from orchestrator.core.engine.contention import Held
from orchestrator.core.engine.holding import Footing, builds_on
from orchestrator.core.engine.order import number_runs
from orchestrator.core.engine.values import Snapshot, TaskView
from orchestrator.core.terms import AttemptStatus, Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a task may start or not; `holder` is the key or name it waits for, `beside` what it waits for as
    well by the same rule.

    `frontier` says that a round records it: the task's own state decides, or its turn has come or comes next.
    """

    key: str
    reason: Reason
    holder: str
    sentence: str
    frontier: bool = False
    beside: tuple[str, ...] = ()

    @property
    def launches(self) -> bool:
        return self.reason is Reason.LAUNCHED


@dataclass(frozen=True, slots=True)
class Decision:
    """A round: `launches` in launch order, and a verdict for every judged task, in order."""

    launches: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def skips(self) -> tuple[str, ...]:
        """What the round skips, because its condition is false."""
        return tuple(verdict.key for verdict in self.verdicts if verdict.reason is Reason.CONDITION)

    def verdict(self, key: str) -> Verdict:
        return next(v for v in self.verdicts if v.key == key)


#: Verdicts on tasks whose dependencies are complete.
REACHED = frozenset(Reason) - {Reason.DEPENDENCY, Reason.GATE, Reason.DONE}


def decide(snapshot: Snapshot) -> Decision:
    """Judge every task in launch order; a launched task holds its files and resources against later ones.

    What a task waits for is settled first and put into words afterwards, so that a sentence already knows
    what the same round launched.
    """
    board = _Board(snapshot.tasks, snapshot.context)
    held = _Holders([*(task for task in board.tasks if task.live), *snapshot.elsewhere])
    waits: dict[str, _Wait] = {}
    launches: dict[str, TaskView] = {}
    for task in board.judged:
        if task.stands or snapshot.hold:
            continue
        wait = board.waits(task) or held.against(task)
        if wait:
            waits[task.key] = wait
        else:
            launches[task.key] = task
            held.add(task)
    awaited = {one.key for wait in waits.values() for one in (wait.holder, *wait.beside)} & launches.keys()
    launched = {key: replace(launches[key], live=AttemptStatus.QUEUED) for key in awaited}
    verdicts = (
        board.held(task) or _verdict(task, snapshot, waits.get(task.key), launched) for task in board.judged
    )
    return Decision(tuple(launches), tuple(board.with_frontier(verdict) for verdict in verdicts))


def ties(snapshot: Snapshot, launches: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Launched keys that share stage, batch and step order, so that their keys decided (EC-2)."""
    index = {view.key: view.order[:3] for view in snapshot.tasks}
    groups: dict[tuple[object, ...], list[str]] = {}
    for key in launches:
        groups.setdefault(index[key], []).append(key)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


class _Wait(NamedTuple):
    """What a task waits for: `phrase` puts the holder, and what stands `beside` it, into words."""

    reason: Reason
    holder: TaskView
    phrase: Callable[..., str]
    beside: tuple[TaskView, ...] = ()


def _verdict(
    task: TaskView, snapshot: Snapshot, wait: _Wait | None, launched: Mapping[str, TaskView]
) -> Verdict:
    if snapshot.hold and snapshot.hold.reason is Reason.BUDGET and _is_offered(task):
        return Verdict(task.key, Reason.BUDGET, "", snapshot.hold.sentence)
    if task.stands:
        return Verdict(
            task.key, _reason_of_status(task), _holder_of_status(task), explain.where_it_stands(task)
        )
    if snapshot.hold:
        return Verdict(task.key, snapshot.hold.reason, snapshot.hold.holder, snapshot.hold.sentence)
    if wait is None:
        return Verdict(task.key, Reason.LAUNCHED, "", explain.launched(task.gate))
    holder = launched.get(wait.holder.key, wait.holder)
    named = "" if holder.key == task.key else holder.key
    beside = [launched.get(one.key, one) for one in wait.beside]
    sentence = wait.phrase(holder, *beside)
    return Verdict(task.key, wait.reason, named, sentence, beside=tuple(one.key for one in beside))


def _is_offered(task: TaskView) -> bool:
    """Whether it waits to be claimed: what is launched already is not given out without a budget either."""
    return task.open and task.live is AttemptStatus.QUEUED and not (task.gate or task.note or task.blocker)


def _reason_of_status(task: TaskView) -> Reason:
    if not task.open:
        return Reason.DONE
    if task.note:
        return Reason.NEEDS_HUMAN
    if task.live is AttemptStatus.RUNNING:
        return Reason.RUNNING
    if task.live and task.blocker:
        return Reason.BLOCKER
    if task.live:
        return Reason.REVIEW if task.gate else Reason.QUEUED
    return Reason.FAILED


def _holder_of_status(task: TaskView) -> str:
    if task.open and not task.note and task.live:
        return task.executor or ", ".join(task.sign_off.asked)
    return ""


class _Holders:
    """Live tasks and what they hold.

    Those of the workstream in order, others', then what the round launches.
    """

    def __init__(self, tasks: Iterable[TaskView]) -> None:
        self._tasks: list[TaskView] = []
        self._held = Held()
        for task in tasks:
            self.add(task)

    def add(self, task: TaskView) -> None:
        if task.claims:
            self._tasks.append(task)
            self._held.add(task.claims)

    def against(self, task: TaskView) -> "_Wait | None":
        conflict = self._held.first_conflict(task.claims) if task.claims else None
        if conflict is None:
            return None
        return _Wait(
            Reason.RESOURCE, self._tasks[conflict.number], partial(explain.contends, conflict.wanted)
        )


def _beside(holder: TaskView, awaited: Iterable[TaskView]) -> tuple[TaskView, ...]:
    return tuple(one for one in awaited if one is not holder)


class _Board:
    """The tasks in order, with what the order rules ask for prepared once."""

    def __init__(self, judged: Sequence[TaskView], context: Sequence[TaskView]) -> None:
        self.judged = sorted(judged, key=lambda task: task.order)
        self.tasks = sorted((*judged, *context), key=lambda task: task.order) if context else self.judged
        self.by_key = {task.key: task for task in self.tasks}
        self.first_open = next((t for t in self.tasks if t.open), None)
        self.first_unusable = next((t for t in self.tasks if not t.open and t.artifact), None)
        #: Per thread the lowest task that is open, and the lowest whose handover cannot be used.
        self.open_lane: dict[tuple[int, ...], TaskView] = {}
        self.unusable_lane: dict[tuple[int, ...], TaskView] = {}
        for task in self.tasks:
            if task.open:
                self.open_lane.setdefault(task.place[:3], task)
            elif task.artifact:
                self.unusable_lane.setdefault(task.place[:3], task)
        uncounted = any(task.run is None for task in self.tasks)
        counted = number_runs((t.key, t.place[:3], t.parallel) for t in self.tasks) if uncounted else {}
        self.damaged = [t for t in self.tasks if not t.open and t.damaged]
        self.runs = {t.key: counted[t.key] if t.run is None else t.run for t in self.tasks}

    def with_frontier(self, verdict: Verdict) -> Verdict:
        """Mark what a round records.

        A task further back than its thread's next run is explained on demand only.
        """
        task = self.by_key[verdict.key]
        skipped = verdict.reason is Reason.CONDITION
        if verdict.reason in REACHED and (skipped or task.stands or self._is_near(task)):
            return replace(verdict, frontier=True)
        return verdict

    def _is_near(self, task: TaskView) -> bool:
        """In the first open batch, needs complete, in its thread's lowest open run or the one behind it."""
        first = self.first_open
        if first is None or first.place[:2] != task.place[:2]:
            return False
        if any(need.open for key in task.needs if (need := self.by_key.get(key))):
            return False
        return self.runs[task.key] <= self.runs[self.open_lane[task.place[:3]].key] + 1

    def held(self, task: TaskView) -> Verdict | None:
        """A launched task whose ground was lost is held until that is decided (F32).

        A question comes first.
        """
        if not (self.damaged and task.open and task.live) or task.note:
            return None
        here = self._footing(task)
        lost = next(
            (other for other in self.damaged if builds_on(here, task.needs, self._footing(other))), None
        )
        return Verdict(task.key, Reason.ARTIFACT, lost.key, explain.held(task, lost)) if lost else None

    def _footing(self, task: TaskView) -> Footing:
        return Footing(task.key, task.place[:3], self.runs[task.key])

    def waits(self, task: TaskView) -> _Wait | None:
        """The first rule of design section 3 that fails for a pending task, in its order."""
        return (
            self._for_needs(task)
            or self._for_batch(task)
            or self._for_condition(task)
            or self._for_blocker(task)
            or self._for_lane(task)
        )

    def _for_needs(self, task: TaskView) -> _Wait | None:
        needed = [self.by_key[key] for key in task.needs if key in self.by_key]
        awaited = [n for n in needed if n.open]
        if waiting := next((n for n in awaited if not n.gate), None):
            return _Wait(Reason.DEPENDENCY, waiting, explain.waits_for, _beside(waiting, awaited))
        if damaged := next((n for n in needed if not n.open and n.artifact), None):
            return _Wait(Reason.ARTIFACT, damaged, explain.artifact)
        if awaited:
            return _Wait(Reason.GATE, awaited[0], explain.waits_for, tuple(awaited[1:]))
        return None

    def _for_batch(self, task: TaskView) -> _Wait | None:
        """Batch N+1 never starts before batch N is complete (BX-4); a gate stands in a batch of its own."""
        first, here = self.first_open, task.place[:2]
        if first is not None and first.place[:2] < here:
            reason = Reason.GATE if first.gate else Reason.DEPENDENCY
            return _Wait(reason, first, explain.waits_for_batch)
        damaged = self.first_unusable
        if damaged is not None and damaged.place[:2] < here:
            return _Wait(Reason.ARTIFACT, damaged, explain.artifact)
        return None

    @staticmethod
    def _for_condition(task: TaskView) -> _Wait | None:
        """A false condition skips the task; one that is not decided yet holds it like a dependency (AD-8)."""
        if task.when is None:
            return None
        truth, because = judge(task.when)
        if truth:
            return None
        if truth is None:
            return _Wait(Reason.DEPENDENCY, task, partial(explain.undecided, task.when.text, because))
        return _Wait(Reason.CONDITION, task, partial(explain.skips, task.when.text, because))

    @staticmethod
    def _for_blocker(task: TaskView) -> _Wait | None:
        return _Wait(Reason.BLOCKER, task, explain.blocked) if task.blocker else None

    def _for_lane(self, task: TaskView) -> _Wait | None:
        """In a thread the lowest open step goes first.

        Neighbouring parallel steps go together and then join.
        """
        lowest = self.open_lane[task.place[:3]]
        if self.runs[lowest.key] < self.runs[task.key]:
            return _Wait(Reason.THREAD, lowest, explain.waits_for)
        damaged = self.unusable_lane.get(task.place[:3])
        if damaged is not None and self.runs[damaged.key] < self.runs[task.key]:
            return _Wait(Reason.ARTIFACT, damaged, explain.artifact)
        return None
