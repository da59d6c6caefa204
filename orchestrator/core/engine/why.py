"""Why work is not moving: the chain from a task to what holds it in the end, and what waits behind that.

A chain goes from verdict to verdict by their holders, into other workstreams as well (FR-015). It decides
nothing and has no words of its own: verdicts come from `schedule`, sentences from `explain`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from orchestrator.core.engine.ancestry import ancestors
from orchestrator.core.engine.order import OrderKey
from orchestrator.core.engine.rework import to_redo
from orchestrator.core.engine.schedule import Verdict
from orchestrator.core.engine.values import Hold, TaskView
from orchestrator.core.terms import AttemptStatus, Reason, RootKind, WorkstreamStatus


class Point(NamedTuple):
    """A task by the slug of its workstream and its key; without a key the workstream itself."""

    workstream: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A workstream as a chain meets it: its tasks and a verdict on each, by key, and what holds all of it."""

    slug: str
    status: WorkstreamStatus
    tasks: Mapping[str, TaskView] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class Station:
    """Where a chain stops on its way. `reason` is None for a workstream that nothing holds as a whole."""

    at: Point
    reason: Reason | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Chain:
    """`links` begin with what was asked about and end with the root, which is of this `kind`."""

    links: tuple[Station, ...]
    kind: RootKind

    @property
    def root(self) -> Station:
        return self.links[-1]


class FrontTask(NamedTuple):
    """A task whose own state stops or carries its workstream."""

    kind: RootKind
    order: OrderKey


#: What stands in the way of a workstream, the most urgent first; ties go by launch order.
URGENCY: Final = (
    RootKind.QUESTION,
    RootKind.FAILURE,
    RootKind.BLOCKER,
    RootKind.ARTIFACT,
    RootKind.GATE,
    RootKind.UNCLAIMED,
    RootKind.RUNNING,
    RootKind.WRITING,
)
#: Front tasks that do not go on by themselves, and that no executor takes.
_NEEDS_SOMEBODY: Final = frozenset(URGENCY[:5])
#: What holds a workstream before anything that stands in it.
_FIRST: Final = frozenset({Reason.DIVERGED, Reason.CLOSED, Reason.BUDGET})
_OWN: Final[Mapping[Reason, RootKind]] = {
    Reason.NEEDS_HUMAN: RootKind.QUESTION,
    Reason.FAILED: RootKind.FAILURE,
    Reason.BLOCKER: RootKind.BLOCKER,
    Reason.REVIEW: RootKind.GATE,
    Reason.QUEUED: RootKind.UNCLAIMED,
    Reason.RUNNING: RootKind.RUNNING,
}
_OF_HOLD: Final[Mapping[Reason, RootKind]] = {
    Reason.DIVERGED: RootKind.DIVERGENCE,
    Reason.PLAN_NOT_APPROVED: RootKind.PLAN,
    Reason.NOT_EFFECTIVE: RootKind.NOT_EFFECTIVE,
    Reason.PREHANDOFF: RootKind.PREHANDOFF,
    Reason.BUDGET: RootKind.BUDGET,
    Reason.CLOSED: RootKind.NOTHING,
}

Look = Callable[[str], Standing | None]


def chain(start: Point, look: Look) -> Chain:
    """Follow the holders from `start` to the root; `look` answers with a workstream by its slug.

    What it does not know ends the chain: a round looks again at what waited for it. Whatever waits for
    itself is a circle, which ends where it closes.
    """
    links: list[Station] = []
    seen: set[Point] = set()
    at: Point | None = start
    while at is not None:
        seen.add(at)
        standing = look(at.workstream)
        if standing is None or (at.key and at.key not in standing.verdicts):
            return Chain(tuple(links), RootKind.ROUND)
        step = _at_task(at, standing) if at.key else _at_workstream(at, standing)
        links.append(step.link)
        if step.following in seen:
            return Chain(tuple(links), RootKind.CIRCLE)
        if step.following is None:
            return Chain(tuple(links), step.kind if len(links) == 1 else _of_awaited(step, standing))
        at = step.following
    raise AssertionError("a chain has a start")


class _Step(NamedTuple):
    """A link, and either what it waits for or the kind of root that it is."""

    link: Station
    kind: RootKind = RootKind.NOTHING
    following: Point | None = None


def _of_awaited(step: _Step, standing: Standing) -> RootKind:
    """What was waited for and has ended since: a round looks again, unless it will never be completed."""
    if step.kind is not RootKind.NOTHING:
        return step.kind
    return RootKind.ARCHIVED if standing.status is WorkstreamStatus.ARCHIVED else RootKind.ROUND


def _at_task(at: Point, standing: Standing) -> _Step:
    verdict = standing.verdicts[at.key]
    link = Station(at, verdict.reason, verdict.sentence)
    view = standing.tasks.get(at.key)
    if verdict.reason is Reason.RUNNING and view and view.blocker:
        return _Step(link, RootKind.BLOCKER)
    if verdict.reason in _OWN:
        return _Step(link, _OWN[verdict.reason])
    if verdict.reason in (Reason.LAUNCHED, Reason.CONDITION):
        return _Step(link, RootKind.ROUND)
    if verdict.reason is Reason.DONE:
        return _Step(link, _of_handover(view) if view else RootKind.NOTHING)
    if verdict.reason is Reason.WORKSTREAM_DEPENDENCY:
        return _Step(link, following=Point(verdict.holder))
    if verdict.reason in _OF_HOLD:
        return _Step(link, following=Point(at.workstream))
    if not verdict.holder:
        return _Step(link, RootKind.CONDITION)
    return _Step(link, following=_holder(verdict, standing))


def _holder(verdict: Verdict, standing: Standing) -> Point:
    """Tasks of other workstreams are named `slug/KEY`."""
    slug, slash, key = verdict.holder.partition("/")
    if slash and verdict.reason is Reason.RESOURCE and verdict.holder not in standing.verdicts:
        return Point(slug, key)
    return Point(standing.slug, verdict.holder)


class Stop(NamedTuple):
    """What a workstream waits for: a task of it (`key`), what holds all of it, or, with no `kind`, the
    workstream `needed`."""

    kind: RootKind | None
    key: str = ""
    needed: str = ""


def stop_of(hold: Hold | None, tasks: Iterable[FrontTask], *, open_tasks: bool) -> Stop:
    """The most urgent front task of a workstream, else what holds all of it; while neither does, the next
    round, or where no task is open any more its acceptance."""
    first = None if hold and hold.reason in _FIRST else most_urgent(tasks)
    if first is not None:
        return Stop(first.kind, first.order.key)
    if hold is not None:
        kind = _OF_HOLD.get(hold.reason)
        return Stop(kind) if kind else Stop(None, needed=hold.holder)
    return Stop(RootKind.ROUND if open_tasks else RootKind.ACCEPTANCE)


def _at_workstream(at: Point, standing: Standing) -> _Step:
    hold = standing.hold
    stop = stop_of(hold, front(standing), open_tasks=any(task.open for task in standing.tasks.values()))
    if stop.key:
        link = Station(at, None, standing.verdicts[stop.key].sentence)
        return _Step(link, following=Point(standing.slug, stop.key))
    link = Station(at, hold.reason if hold else None, hold.sentence if hold else "")
    if stop.kind is None:
        return _Step(link, following=Point(stop.needed))
    return _Step(link, stop.kind)


def front(standing: Standing) -> Iterable[FrontTask]:
    """The tasks whose own state stops or carries the workstream, in no order."""
    for key, view in standing.tasks.items():
        verdict = standing.verdicts.get(key)
        kind = _kind_of(view, verdict) if verdict else None
        if kind is not None:
            yield FrontTask(kind, view.order)


def most_urgent(tasks: Iterable[FrontTask]) -> FrontTask | None:
    """The one that a workstream waits for (see `URGENCY`); ties go by launch order."""
    return min(tasks, key=_urgency, default=None)


def _urgency(task: FrontTask) -> tuple[int, OrderKey]:
    return URGENCY.index(task.kind), task.order


def _kind_of(view: TaskView, verdict: Verdict) -> RootKind | None:
    return kind_of(view, reached=verdict.reason is Reason.BLOCKER)


def kind_of(view: TaskView, *, reached: bool) -> RootKind | None:
    """What a task's own state stops or carries its workstream by; None when it does neither.

    A blocker of a task that is not launched counts once the task is `reached`: nothing else holds it.
    """
    if not view.open:
        kind = _of_handover(view)
        return None if kind is RootKind.NOTHING else kind
    if view.note:
        return RootKind.QUESTION
    if view.live and view.blocker:
        return RootKind.BLOCKER
    if view.live is AttemptStatus.RUNNING:
        return RootKind.RUNNING
    if view.live:
        return RootKind.GATE if view.gate else RootKind.UNCLAIMED
    if view.failure:
        return RootKind.FAILURE
    return RootKind.BLOCKER if view.blocker and reached else None


def _of_handover(view: TaskView) -> RootKind:
    if not view.artifact:
        return RootKind.NOTHING
    return RootKind.ARTIFACT if view.damaged else RootKind.WRITING


def also_in_the_way(standing: Standing, key: str, root: str) -> tuple[FrontTask, ...]:
    """What beside the root needs somebody before the task `key`, or the workstream when it is empty, goes on;
    the most urgent first."""
    before = set(ancestors(list(standing.tasks.values()), key)) if key else standing.tasks.keys()
    found = [
        task
        for task in front(standing)
        if task.order.key in before and task.order.key not in (key, root) and _needs_somebody(task, standing)
    ]
    return tuple(sorted(found, key=_urgency))


def _needs_somebody(task: FrontTask, standing: Standing) -> bool:
    """A gate that is decided does not: that takes effect by itself."""
    return task.kind in _NEEDS_SOMEBODY and not standing.tasks[task.order.key].sign_off.decided


def behind(standing: Standing, key: str) -> tuple[str, ...]:
    """The open tasks of the workstream that wait behind the task `key`, in launch order; behind the whole
    workstream, when the key is empty.

    What comes after it by need, by thread or by batch waits, and what wants the files or resources that it
    holds, with everything after that.
    """
    if not key:
        views = sorted(standing.tasks.values(), key=lambda task: task.order)
        return tuple(view.key for view in views if view.open and not view.live)
    wanting = [one.key for one in standing.verdicts.values() if _contends(one, key)]
    after = to_redo(list(standing.tasks.values()), key, *wanting)
    return tuple(one for one in after if one != key and standing.tasks[one].open)


def _contends(verdict: Verdict, key: str) -> bool:
    return verdict.reason is Reason.RESOURCE and verdict.holder == key
