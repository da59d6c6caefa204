"""Who holds what a task wants: live tasks of the same workstream, and of others on the same repository (AD-3,
BX-5).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q

from orchestrator.core.engine.contention import Claims, Held
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import Reason, WorkstreamStatus
from orchestrator.models import Attempt, Task, Workstream
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.base.order import launch_order_of_tasks, rank
from orchestrator.queries.base.sql import Joined
from orchestrator.queries.engine.facts import CLAIMS, FactScope, facts_of
from orchestrator.queries.engine.task_views import Views, claims_of
from orchestrator.queries.engine.threads import sole_executors


def holders_of(workstream: Workstream, wanted: Iterable[Claims]) -> list[int]:
    """Ids of the live tasks of a workstream that hold something `wanted`; the first of a lane stands for all
    of it.
    """
    wanted = [claims for claims in wanted if claims]
    return _holding(workstream, "", wanted) if wanted else []


def elsewhere(workstream: Workstream, wanted: Iterable[Claims]) -> tuple[TaskView, ...]:
    """Live tasks of other active workstreams on the same repository that hold something `wanted`, as
    `slug/KEY`.
    """
    wanted = [claims for claims in wanted if claims]
    return tuple(view for peer in peers_of(workstream) for view in _views(peer, wanted)) if wanted else ()


def peers_of(workstream: Workstream) -> list[Workstream]:
    """Other active workstreams whose versions name the same repository, in rank order."""
    name = workstream.version.repository
    return [one for one in _active(name) if one.pk != workstream.pk] if name else []


def _active(repository: str) -> list[Workstream]:
    active = Workstream.objects.filter(status=WorkstreamStatus.ACTIVE, version__repository=repository)
    return list(active.order_by(*rank("")))


def in_line_with(workstream: Workstream) -> list[Workstream]:
    """A workstream, and the active ones whose recorded verdicts wait for a task of it, by rank."""
    waiting = {one for one, holder in _waiting_for_resources() if holder.startswith(f"{workstream.slug}/")}
    if not waiting:
        return [workstream]
    waits = Q(status=WorkstreamStatus.ACTIVE, pk__in=waiting)
    rows = Workstream.objects.filter(waits | Q(pk=workstream.pk))
    return list(rows.order_by(*rank("")))


def _waiting_for_resources() -> list[tuple[int, str]]:
    return [(row["workstream"], row["holder"]) for row in _WAITING.rows()]


_WAITING = Joined(
    {},
    f"""orchestrator_task task JOIN orchestrator_recordedverdict verdict ON verdict.id = task.verdict_id
WHERE task.due AND verdict.reason = '{Reason.RESOURCE.value}'""",
    {"workstream": "task.workstream_id", "holder": "verdict.holder"},
)


@dataclass(frozen=True, slots=True)
class _Live:
    """A live task in launch order, read as a plain row."""

    task: int
    step: int
    thread: int
    lane: str
    parallel: bool


def _holding(workstream: Workstream, prefix: str, wanted: Sequence[Claims]) -> list[int]:
    rows = [_Live(*row) for row in _live(workstream.pk)]
    if not rows:
        return []
    places = [(row.task, row.step, row.thread) for row in rows]
    facts, held = facts_of(FactScope.of_places(places, workstream), CLAIMS), Held()
    for row in rows:
        held.add(claims_of(facts, row.step, row.thread, prefix + row.lane, parallel=row.parallel))
    numbers = {number for claims in wanted for number in held.conflicts(claims)}
    return [rows[number].task for number in sorted(numbers)]


def _live(workstream: int) -> list[tuple[int, int, int, str, bool]]:
    rows = Attempt.objects.filter(task__workstream=workstream, status__in=LIVE)
    ordered = rows.order_by(*launch_order_of_tasks())
    step = "task__step"
    return list(
        ordered.values_list(
            "task_id", f"{step}_id", f"{step}__thread_id", f"{step}__thread__lane", f"{step}__parallel"
        )
    )


def _views(peer: Workstream, wanted: Sequence[Claims]) -> Iterator[TaskView]:
    """Lanes with the same id in two workstreams are different lanes, so a lane goes by its workstream's name
    too.
    """
    prefix = f"{peer.slug}/"
    ids = _holding(peer, prefix, wanted)
    if not ids:
        return
    found = Task.objects.filter(pk__in=ids).select_related("step__thread__batch__stage", "verdict")
    rows = {task.pk: task for task in found}
    tasks = list(rows.values())
    views = Views(peer, tasks, {}, sole_executors(peer), facts_of(FactScope.of(tasks, peer)))
    for pk in ids:
        view = views.of(rows[pk])
        yield replace(
            view, key=prefix + view.key, claims=replace(view.claims, lane=prefix + view.claims.lane)
        )
