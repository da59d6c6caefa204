"""What became of the files that executors committed themselves (FR-029)."""

from collections.abc import Iterable

from django.db.models import QuerySet

from orchestrator.contract.workspace import CollectedFacts, CollectedList
from orchestrator.core.terms import ResultFileState
from orchestrator.models import Executor, ResultFile
from orchestrator.queries.base.asked import refuse_other


def collected_files(state: ResultFileState | None = None, executor: str = "") -> QuerySet[ResultFile]:
    """Newest first."""
    rows = ResultFile.objects.select_related("attempt__task__step", "attempt__task__workstream").order_by(
        "-pk"
    )
    if state is not None:
        rows = rows.filter(state=state)
    return rows.filter(executor=executor) if executor else rows


def list_collected(
    *, state: ResultFileState | None = None, executor: str = "", limit: int = 100, offset: int = 0
) -> CollectedList:
    """InvalidInput for a producer of which no file was looked at."""
    if executor:
        producers = ResultFile.objects.order_by().values_list("executor", flat=True).distinct()
        refuse_other("executor", executor, producers)
    found = collected_files(state, executor)
    return CollectedList(found.count(), tuple(_facts(row) for row in found[offset : offset + limit]))


def labels_of(rows: Iterable[ResultFile]) -> dict[str, str]:
    """Who the executors of these branches are, with account and kind; a branch may be nobody's."""
    names = {row.executor for row in rows}
    return {
        executor.name: executor.label
        for executor in Executor.objects.filter(name__in=names).select_related("user")
    }


def _facts(row: ResultFile) -> CollectedFacts:
    return CollectedFacts(
        id=row.pk,
        executor=row.executor,
        path=row.path,
        commit=row.commit,
        sha256=row.sha256,
        state=ResultFileState(row.state),
        problem=row.problem,
        attempt=row.attempt_id,
        seen_at=row.seen_at,
    )
