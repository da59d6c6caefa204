"""What an executor can take."""

from collections.abc import Collection

from django.db.models import OuterRef, Q, QuerySet, Subquery

from orchestrator.core.terms import AttemptStatus, Reason, StepKind, TaskStatus, WorkstreamStatus
from orchestrator.models import Attempt, Executor, RecordedVerdict
from orchestrator.queries.base.order import rank
from orchestrator.queries.base.roles import may_do, roles_of
from orchestrator.queries.engine.threads import kept_for_others

#: A launched task of which the last round said that what it builds on was lost.
HELD = Q(verdict__reason=Reason.ARTIFACT)


def queued_attempts(tools: Collection[str], executor: Executor | None = None) -> QuerySet[Attempt]:
    """Attempts that wait for one of these tools, that the executor's roles let it do, and that are not kept
    for another one, in the order of their launch.

    Across workstreams: priority, registration, id; inside one: round, then launch order (design section 3).
    """
    launch = RecordedVerdict.objects.filter(task=OuterRef("task"), reason=Reason.LAUNCHED).order_by(
        "-decision__number"
    )
    doable = may_do(roles_of(executor.user), "task__") if executor else Q()
    return (
        Attempt.objects.filter(
            doable,
            status=AttemptStatus.QUEUED,
            task__step__kind=StepKind.WORK,
            task__step__tool__in=list(tools),
            task__status=TaskStatus.PENDING,
            task__needs_human=False,
            task__workstream__status=WorkstreamStatus.ACTIVE,
        )
        .exclude(kept_for_others(Q(executor=executor), "task__"))
        .exclude(task__verdict__reason=Reason.ARTIFACT)
        .annotate(
            round=Subquery(launch.values("decision__number")[:1]),
            launch=Subquery(launch.values("launch_order")[:1]),
        )
        .order_by(*rank("task__workstream__"), "round", "launch", "pk")
    )
