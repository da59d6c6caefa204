"""The scheduler: a pure function from a snapshot to a decision (FR-005, design section 3).

The same snapshot always gives the same decision. Nobody else decides, and nobody else explains: a verdict carries the
reason, the holder and the sentence that users read (FR-015). Cost is linear in the tasks of the snapshot plus, for
each launchable task, the number of tasks that hold files or resources.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from orchestrator.core import explain
from orchestrator.core.conditions import When, judge
from orchestrator.core.contention import globs_overlap
from orchestrator.core.graph import OrderKey
from orchestrator.core.terms import TERMINAL_TASK, AttemptStatus, Reason, TaskStatus


class Place(NamedTuple):
    """Where a step stands: 0-based positions of its stage, batch, thread, and of itself in the thread."""

    stage: int
    batch: int
    thread: int
    position: int


@dataclass(frozen=True, slots=True)
class Claims:
    """What a task holds while it is launched or running. `lane` files do not contend inside their own lane (BX-5)."""

    lane: str = ""
    lane_files: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()

    def conflict_with(self, other: "Claims") -> str:
        """The name of what both want, or the empty string."""
        for resource in self.resources:
            if resource in other.resources:
                return resource
        mine, theirs = self.files, other.files
        if self.lane != other.lane:
            mine, theirs = mine + self.lane_files, theirs + other.lane_files
        return next((a for a in mine for b in theirs if globs_overlap(a, b)), "")


@dataclass(frozen=True, slots=True)
class TaskView:
    """What the scheduler may know of a task.

    `live` is the status of its live attempt, `executor` who runs it, `assigned` who alone may claim it.
    `failure`, `blocker` and `note` are the texts of an undecided failure, an open blocker and an open intervention.
    `artifact` says why the handover of a complete task cannot be used (empty: committed and intact). `when` is its
    condition with the facts it rests on, `skipped` the sentence with which a round skipped it.
    """

    key: str
    place: Place
    status: TaskStatus = TaskStatus.PENDING
    gate: bool = False
    parallel: bool = False
    needs: tuple[str, ...] = ()
    claims: Claims = field(default_factory=Claims)
    live: AttemptStatus | None = None
    executor: str = ""
    assigned: str = ""
    failure: str = ""
    blocker: str = ""
    note: str = ""
    artifact: str = ""
    reviewers: tuple[str, ...] = ()
    when: When | None = None
    skipped: str = ""

    @property
    def order(self) -> OrderKey:
        return OrderKey(self.place.stage, self.place.batch, self.place.position, self.key)

    @property
    def open(self) -> bool:
        return self.status not in TERMINAL_TASK

    @property
    def handed_over(self) -> bool:
        return not self.open and not self.artifact


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One workstream as the scheduler sees it. `hold` is a reason that holds all of it, with its sentence."""

    tasks: tuple[TaskView, ...]
    hold: tuple[Reason, str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a task may start or not; `holder` is the key or name it waits for."""

    key: str
    reason: Reason
    holder: str
    sentence: str

    @property
    def launches(self) -> bool:
        return self.reason is Reason.LAUNCHED


@dataclass(frozen=True, slots=True)
class Decision:
    """A round: `launches` in launch order, and a verdict for every task, in order."""

    launches: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def skips(self) -> tuple[str, ...]:
        """What the round skips, because its condition is false."""
        return tuple(verdict.key for verdict in self.verdicts if verdict.reason is Reason.CONDITION)

    def verdict(self, key: str) -> Verdict:
        return next(v for v in self.verdicts if v.key == key)


#: Verdicts on tasks whose dependencies are complete: the open frontier, which a round records.
FRONTIER = frozenset(Reason) - {Reason.DEPENDENCY, Reason.GATE, Reason.DONE}


def decide(snapshot: Snapshot) -> Decision:
    """Judge every task in launch order; a launched task holds its files and resources against later ones.

    What a task waits for is settled first and put into words afterwards, so that a sentence already knows what the
    same round launched.
    """
    board = _Board(snapshot.tasks)
    held = [task for task in board.tasks if task.live]
    waits: dict[str, _Wait] = {}
    launched: dict[str, TaskView] = {}
    for task in board.tasks:
        if _stands(task) or snapshot.hold:
            continue
        wait = board.waits(task) or _contends(task, held)
        if wait:
            waits[task.key] = wait
        else:
            launched[task.key] = replace(task, live=AttemptStatus.QUEUED)
            held.append(task)
    verdicts = tuple(_verdict(task, snapshot, waits.get(task.key), launched) for task in board.tasks)
    return Decision(tuple(launched), verdicts)


class _Wait(NamedTuple):
    """What a task waits for: `phrase` puts the holder into words."""

    reason: Reason
    holder: TaskView
    phrase: Callable[[TaskView], str]


def _stands(task: TaskView) -> bool:
    """Whether the task's own state decides, whatever the rest of the plan does."""
    return not task.open or bool(task.note or task.live or task.failure)


def _verdict(task: TaskView, snapshot: Snapshot, wait: _Wait | None, launched: Mapping[str, TaskView]) -> Verdict:
    if _stands(task):
        return Verdict(task.key, _standing_reason(task), _standing_holder(task), explain.standing(task))
    if snapshot.hold:
        reason, sentence = snapshot.hold
        return Verdict(task.key, reason, "", sentence)
    if wait is None:
        return Verdict(task.key, Reason.LAUNCHED, "", explain.launched(task.gate))
    holder = launched.get(wait.holder.key, wait.holder)
    named = "" if holder.key == task.key else holder.key
    return Verdict(task.key, wait.reason, named, wait.phrase(holder))


def _standing_reason(task: TaskView) -> Reason:
    if not task.open:
        return Reason.DONE
    if task.note:
        return Reason.NEEDS_HUMAN
    if task.live is AttemptStatus.RUNNING:
        return Reason.RUNNING
    if task.live:
        return Reason.REVIEW if task.gate else Reason.QUEUED
    return Reason.FAILED


def _standing_holder(task: TaskView) -> str:
    if task.open and not task.note and task.live:
        return task.executor or ", ".join(task.reviewers)
    return ""


def _contends(task: TaskView, held: Iterable[TaskView]) -> _Wait | None:
    for other in held:
        if wanted := task.claims.conflict_with(other.claims):
            return _Wait(Reason.RESOURCE, other, partial(explain.contends, wanted))
    return None


class _Board:
    """The tasks in order, with what the order rules ask for prepared once."""

    def __init__(self, tasks: Sequence[TaskView]) -> None:
        self.tasks = sorted(tasks, key=lambda task: task.order)
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
        self.runs = _runs(self.tasks)

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
        if waiting := next((n for n in needed if n.open and not n.gate), None):
            return _Wait(Reason.DEPENDENCY, waiting, explain.waits_for)
        if damaged := next((n for n in needed if not n.open and n.artifact), None):
            return _Wait(Reason.ARTIFACT, damaged, explain.artifact)
        if gate := next((n for n in needed if n.open), None):
            return _Wait(Reason.GATE, gate, explain.waits_for)
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
        """In a thread the lowest open step goes first; neighbouring parallel steps go together and then join."""
        lowest = self.open_lane[task.place[:3]]
        if self.runs[lowest.key] < self.runs[task.key]:
            return _Wait(Reason.LANE, lowest, explain.waits_for)
        damaged = self.unusable_lane.get(task.place[:3])
        if damaged is not None and self.runs[damaged.key] < self.runs[task.key]:
            return _Wait(Reason.ARTIFACT, damaged, explain.artifact)
        return None


def _runs(tasks: Sequence[TaskView]) -> dict[str, int]:
    """Number the runs of each thread: a step of its own, or neighbouring parallel steps, which share one."""
    runs: dict[str, int] = {}
    last: dict[tuple[int, ...], TaskView] = {}
    for task in tasks:
        before = last.get(task.place[:3])
        joined = before is not None and before.parallel and task.parallel
        runs[task.key] = 0 if before is None else runs[before.key] + (not joined)
        last[task.place[:3]] = task
    return runs
