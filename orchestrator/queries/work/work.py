"""What an executor can take."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from orchestrator.core.terms import AttemptStatus, Reason, StepKind, TaskStatus, WorkstreamStatus
from orchestrator.models import Attempt, Executor, HistoryEntry, Workstream
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


def queued_attempts(tools: Collection[str], executor: Executor | None = None) -> QuerySet[Attempt]:
    """Attempts that wait for one of these tools, in the order of their launch."""
    return _free(executor).filter(task__step__tool__in=list(tools))


def free_attempts(executor: Executor, wanted: Wanted) -> QuerySet[Attempt]:
    """Attempts that this executor may claim now, in the order of their launch (FR-027)."""
    found = _free(executor).filter(suiting(executor, "task__"))
    if wanted.workstream is not None:
        found = found.filter(task__workstream=wanted.workstream)
    if wanted.repository:
        found = found.filter(task__workstream__version__repository=wanted.repository)
    return found


def _free(executor: Executor | None) -> QuerySet[Attempt]:
    """Queued attempts that the executor's roles let it do, and that are not kept for another one.

    Across workstreams: priority, registration, id; inside one: round, then launch order (design section 3),
    in which a round makes its attempts.
    """
    doable = may_do(roles_of(executor.user), "task__") if executor else Q()
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
