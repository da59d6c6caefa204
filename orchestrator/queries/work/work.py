"""What an executor can take."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db.models import Q, QuerySet

from orchestrator.core.terms import AttemptStatus, Reason, Role, StepKind, TaskStatus, WorkstreamStatus
from orchestrator.models import Attempt, Executor, HistoryEntry, Workstream
from orchestrator.queries.base.kept import KeptStatement
from orchestrator.queries.base.order import rank
from orchestrator.queries.base.roles import may_do, roles_of, suiting
from orchestrator.queries.engine.threads import kept_for_others

#: A launched task of which the last round said that what it builds on was lost.
HELD = Q(verdict__reason=Reason.ARTIFACT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which work is asked for: all of it, or that of one workstream, of plans on one repository."""

    workstream: Workstream | None = None
    repository: str = ""


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks for work, and for which: all that the statement depends on."""

    executor: int
    kind: str
    roles: frozenset[Role]
    workstream: int | None
    repository: str


def first_free(executor: Executor, wanted: Wanted) -> int | None:
    """The workstream of the first attempt that this executor may claim."""
    return _first(_anywhere(_asking(executor, wanted)))


def first_free_in(workstream: int, executor: Executor, wanted: Wanted) -> int | None:
    """The first attempt in a workstream that this executor may claim."""
    return _first(_inside(_asking(executor, wanted)), workstream)


def _asking(executor: Executor, wanted: Wanted) -> _Asking:
    workstream = wanted.workstream.pk if wanted.workstream else None
    return _Asking(executor.pk, executor.kind, roles_of(executor.user), workstream, wanted.repository)


#: Stands in a kept statement for a workstream; no row has this id.
SOME: Final = -(2**40) - 7


@lru_cache(500)
def _anywhere(asking: _Asking) -> KeptStatement | None:
    return _kept(_asked_for(asking).values_list("task__workstream"))


@lru_cache(500)
def _inside(asking: _Asking) -> KeptStatement | None:
    return _kept(_asked_for(asking).filter(task__workstream=SOME).values_list("pk"))


def _kept(rows: QuerySet[Any, Any]) -> KeptStatement | None:
    """Django takes three times as long to make this statement as the database to answer it."""
    try:
        return KeptStatement.of(*rows[:1].query.sql_with_params(), SOME)
    except EmptyResultSet:  # Django sees by itself that there is nothing
        return None


def _first(statement: KeptStatement | None, workstream: int = SOME) -> int | None:
    found = statement.rows(workstream) if statement else []
    return found[0][0] if found else None


def queued_attempts(tools: Collection[str], executor: Executor | None = None) -> QuerySet[Attempt]:
    """Attempts that wait for one of these tools, in the order of their launch."""
    rows = _doable(executor.pk, roles_of(executor.user)) if executor else _doable(None, None)
    return rows.filter(task__step__tool__in=list(tools))


def free_attempts(executor: Executor, wanted: Wanted) -> QuerySet[Attempt]:
    """Attempts that this executor may claim now, in the order of their launch (FR-027)."""
    return _asked_for(_asking(executor, wanted))


def _asked_for(asking: _Asking) -> QuerySet[Attempt]:
    found = _doable(asking.executor, asking.roles).filter(suiting(asking.kind, "task__"))
    if asking.workstream is not None:
        found = found.filter(task__workstream=asking.workstream)
    if asking.repository:
        found = found.filter(task__workstream__version__repository=asking.repository)
    return found


def _doable(executor: int | None, roles: frozenset[Role] | None) -> QuerySet[Attempt]:
    """Queued attempts that somebody with these roles may do, and that are not kept for another executor.

    Across workstreams: priority, registration, id; inside one: round, then launch order (design section 3),
    in which a round makes its attempts.
    """
    doable = Q() if roles is None else may_do(roles, "task__")
    return (
        waiting_attempts()
        .filter(doable)
        .exclude(kept_for_others(Q(executor=executor), "task__"))
        .exclude(task__verdict__reason=Reason.ARTIFACT)
        .order_by(*rank("task__workstream__"), "pk")
    )


def waiting_attempts() -> QuerySet[Attempt]:
    """Attempts that wait for an executor, whoever that may be."""
    return Attempt.objects.filter(
        status=AttemptStatus.QUEUED,
        task__step__kind=StepKind.WORK,
        task__status=TaskStatus.PENDING,
        task__needs_human=False,
        task__workstream__status=WorkstreamStatus.ACTIVE,
        task__workstream__over_budget="",
    )


def newest_entry() -> int:
    """The number of the history's newest entry: it grows whenever anything happens."""
    newest = HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return newest or 0
