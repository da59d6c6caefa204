"""What each of many workstreams waits for, in a fixed number of statements: its most urgent front task, or
what holds all of it.

The rule is `core/engine/why.py`'s, asked of fewer rows than a whole chain reads; a test holds the two
together (FR-015, LC-4).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Case, Exists, F, FilteredRelation, Min, OuterRef, Q, Subquery, When

from orchestrator.core.engine import chain_words, explain
from orchestrator.core.engine.order import Place
from orchestrator.core.engine.values import Hold, TaskView
from orchestrator.core.engine.why import FrontTask, Stop, kind_of, stop_of
from orchestrator.core.terms import AttemptStatus, RootKind, StepKind, TaskStatus, WorkstreamStatus
from orchestrator.models import (
    Attempt,
    Blocker,
    GateReviewer,
    StepNeed,
    Task,
    Workstream,
)
from orchestrator.models.work.attempt import LIVE
from orchestrator.models.work.task import OPEN
from orchestrator.queries.engine.holds import Holding, Needed, hold_on
from orchestrator.queries.engine.signatures import signers_by_gate
from orchestrator.queries.engine.task_views import USABLE, Unusable, unusable_of
from orchestrator.queries.work.since import Since

#: Roots that the portfolio has sentences of its own for.
_SAID_ELSEWHERE = (None, RootKind.ACCEPTANCE, RootKind.ROUND)
#: States of tasks that may stop or carry their workstream; pending ones do once they are launched.
_NOT_WAITING = (TaskStatus.ACTIVE, TaskStatus.BLOCKED, TaskStatus.REVIEW)


@dataclass(frozen=True, slots=True)
class FrontRoot:
    """What a workstream waits for. `sentence` says it with how long; it is empty for what the portfolio says
    itself, such as a workstream that has to be completed first."""

    stop: Stop
    since: datetime | None
    sentence: str


def front_roots(workstreams: Sequence[Workstream], now: datetime, *, stopped: bool) -> dict[int, FrontRoot]:
    """By id, of those that are active; each comes with its version, its pre-handoff review and what it needs.
    `stopped` says that all work waits, because workspace and database came apart."""
    active = [one for one in workstreams if one.status == WorkstreamStatus.ACTIVE]
    if not active:
        return {}
    fronts = _fronts([one.pk for one in active])
    holds = _holds(active, now, stopped)
    stops = {one.pk: stop_of(holds[one.pk], fronts[one.pk], open_tasks=one.open_tasks > 0) for one in active}
    rows = {pk: fronts[pk].rows[stop.key] for pk, stop in stops.items() if stop.key}
    since = Since([row.task for row in rows.values()])
    views = _with_signers(rows.values())
    return {pk: _root(stop, rows.get(pk), views, since, now, holds[pk]) for pk, stop in stops.items()}


def _root(
    stop: Stop,
    task: "_FrontRow | None",
    views: Mapping[int, TaskView],
    since: Since,
    now: datetime,
    hold: Hold | None,
) -> FrontRoot:
    if stop.kind in _SAID_ELSEWHERE:
        return FrontRoot(stop, None, "")
    if task is None:
        said = explain.root_stands(stop.kind, "", hold.sentence if hold else "")
        return FrontRoot(stop, None, chain_words.whole_chain(said[:1].upper() + said[1:], None, 0, ""))
    at, view = since.of_root(task.task, stop.kind), views[task.task]
    stands = explain.root_stands(
        stop.kind,
        explain.detail_of(stop.kind, view),
        explain.where_it_stands(view),
        since.owner_of(task.task),
    )
    said = explain.chain_of([stop.key], stands)
    return FrontRoot(stop, at, chain_words.whole_chain(said, now - at, 0, ""))


class _Front(list[FrontTask]):
    """The front tasks of a workstream, and the row of each by its key."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, _FrontRow] = {}


def _fronts(workstreams: Sequence[int]) -> Mapping[int, _Front]:
    """Those of each workstream that may be what it waits for."""
    rows = [*_open_rows(workstreams), *_unusable_rows(workstreams)]
    reached = _reached([row.task for row in rows if row.blocker])
    fronts: dict[int, _Front] = defaultdict(_Front)
    for row in _first_of_alike(rows):
        view = _view(row)
        kind = kind_of(view, reached=row.task in reached)
        if kind is not None:
            fronts[row.workstream].append(FrontTask(kind, view.order))
            fronts[row.workstream].rows[row.key] = row
    return fronts


def _first_of_alike(rows: Iterable["_FrontRow"]) -> Iterable["_FrontRow"]:
    """Of the tasks of a workstream that stand alike the first in launch order: no other one can be what it
    waits for. A wide plan has hundreds of them."""
    first: dict[tuple[object, ...], _FrontRow] = {}
    for row in rows:
        alike = (
            row.workstream, row.status, row.live, row.kind, bool(row.question), bool(row.error),
            row.task if row.blocker else None, row.unusable,
        )  # fmt: skip
        known = first.setdefault(alike, row)
        if known is not row and _launch_order(row) < _launch_order(known):
            first[alike] = row
    return first.values()


def _launch_order(row: "_FrontRow") -> tuple[int, int, int, str]:
    return row.stage, row.batch, row.position, row.key


class _FrontRow(NamedTuple):
    """A task and its workstream by their ids, the columns of `_COLUMNS`, and what other rows say of it: the
    live attempt's status and holder, the error of a failure that nobody has followed up, the note of an open
    blocker, why its handover cannot be used. Plain values: there are many for each row that a page shows."""

    task: int
    workstream: int
    status: str
    question: str | None
    key: str
    kind: str
    signatures: int
    stage: int
    batch: int
    thread: int
    position: int
    step: int
    live: str | None = None
    held_by: str | None = None
    error: str | None = None
    blocker: str | None = None
    unusable: Unusable = USABLE


_QUESTION: Final = Case(When(needs_human=True, then=F("intervention_note")))
_COLUMNS: Final = (
    "pk",
    "workstream",
    "status",
    "said_question",
    "step__key",
    "step__kind",
    "step__signatures",
    "step__thread__batch__stage__position",
    "step__thread__batch__position",
    "step__thread__position",
    "step__position",
    "step",
)


def _open_rows(ids: Sequence[int]) -> list[_FrontRow]:
    failed = Attempt.objects.filter(task=OuterRef("pk"), status=AttemptStatus.FAILED, followed_up_at=None)
    blockers = Blocker.objects.filter(task=OuterRef("pk"), resolved_at=None).order_by("declared_at")
    launched = Exists(Attempt.objects.filter(task=OuterRef("pk"), status__in=LIVE))
    found = Task.objects.filter(
        Q(needs_human=True) | Q(status__in=_NOT_WAITING) | launched,
        workstream__in=ids,
        step__version=F("workstream__version"),
        status__in=OPEN,
    )
    error = Subquery(failed.order_by("-number").values("error")[:1])
    rows = found.annotate(
        said_question=_QUESTION,
        live=FilteredRelation("attempts", condition=Q(attempts__status__in=LIVE)),
        said_error=Case(When(status=TaskStatus.BLOCKED, then=error)),
        said_blocker=Subquery(blockers.values("note")[:1]),
    )
    said = ("live__status", "live__assignment__claimed_as", "said_error", "said_blocker")
    return [_FrontRow(*row) for row in rows.values_list(*_COLUMNS, *said)]


def _unusable_rows(ids: Sequence[int]) -> list[_FrontRow]:
    unusable = unusable_of(ids)
    if not unusable:
        return []
    found = Task.objects.filter(pk__in=unusable, step__version=F("workstream__version"))
    rows = found.annotate(said_question=_QUESTION).values_list(*_COLUMNS)
    return [_FrontRow(*row)._replace(unusable=unusable[row[0]]) for row in rows]


def _view(row: _FrontRow) -> TaskView:
    return TaskView(
        key=row.key,
        place=Place(row.stage, row.batch, row.thread, row.position),
        status=TaskStatus(row.status),
        gate=row.kind == StepKind.GATE,
        live=AttemptStatus(row.live) if row.live else None,
        executor=row.held_by or "",
        failure=row.error or "",
        blocker=row.blocker or "",
        note=row.question or "",
        artifact=row.unusable.said,
        damaged=row.unusable.damaged,
        signatures=row.signatures,
    )


def _reached(tasks: Sequence[int]) -> set[int]:
    """Of tasks with a blocker those that nothing else holds: their batch is the first open one, and what they
    need is complete."""
    if not tasks:
        return set()
    first = Task.objects.filter(workstream=OuterRef("workstream"), open_batch__isnull=False)
    lowest = first.order_by().values("workstream").annotate(lowest=Min("open_batch")).values("lowest")
    needed = StepNeed.objects.filter(
        step=OuterRef("step"),
        needed__tasks__workstream=OuterRef("workstream"),
        needed__tasks__open_batch__isnull=False,
    )
    found = Task.objects.filter(~Exists(needed), pk__in=tasks, open_batch=Subquery(lowest))
    return set(found.values_list("pk", flat=True))


def _with_signers(rows: Collection[_FrontRow]) -> dict[int, TaskView]:
    """The views of these tasks, gates with who is asked and who has signed."""
    views = {row.task: _view(row) for row in rows}
    gates = {row.task: row.step for row in rows if row.kind == StepKind.GATE}
    if not gates:
        return views
    names: dict[int, set[str]] = defaultdict(set)
    for step, name in GateReviewer.objects.filter(step__in=gates.values()).values_list("step", "name"):
        names[step].add(name)
    signers = signers_by_gate(list(gates))
    for task, step in gates.items():
        reviewers = tuple(sorted(names[step]))
        views[task] = replace(views[task], reviewers=reviewers, signers=signers.get(task, ()))
    return views


def _holds(workstreams: Sequence[Workstream], now: datetime, stopped: bool) -> dict[int, Hold | None]:
    first = {one.pk: _first_needed(one) for one in workstreams}
    return {
        one.pk: hold_on(
            one,
            now,
            Holding(stopped, hasattr(one, "prehandoff"), first[one.pk] is not None),
            lambda row: first[row.pk],
        )
        for one in workstreams
    }


def _first_needed(workstream: Workstream) -> Needed | None:
    """The one that was registered first of those that have to be completed before it."""
    needed = [need.needed for need in workstream.needs.all()]
    to_come = [one for one in needed if one.status != WorkstreamStatus.COMPLETED]
    first = min(to_come, key=lambda one: (one.created_at, one.pk), default=None)
    return Needed(first.slug, first.status) if first else None
