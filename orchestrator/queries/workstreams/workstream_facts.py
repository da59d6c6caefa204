"""What machines read of workstreams: the list, and one with its tasks and their explanations.

Requirements: FR-002, FR-015.
"""

from dataclasses import replace
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from orchestrator.contract.tasks import TaskList
from orchestrator.contract.workstreams import WorkstreamFacts, WorkstreamList
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.models import Task, Workstream, WorkstreamNeed
from orchestrator.models.work.task import OPEN
from orchestrator.queries.base.asked import refuse_other
from orchestrator.queries.base.usage_facts import usage_facts
from orchestrator.queries.base.used import used_in
from orchestrator.queries.engine.explanations import explain
from orchestrator.queries.work.baseline import integrations
from orchestrator.queries.work.rework import rework_count, with_rework
from orchestrator.queries.work.task_facts import LAUNCH_ORDER, task_facts, with_live_attempts
from orchestrator.queries.workstreams.outline import outline_of
from orchestrator.queries.workstreams.portfolio import domains, number_in_review

NEEDS = (
    Prefetch("needs", WorkstreamNeed.objects.select_related("needed")),
    Prefetch("needed_by", WorkstreamNeed.objects.select_related("workstream")),
)


def list_workstreams(
    *,
    status: WorkstreamStatus | None = None,
    domain: str = "",
    slug: str = "",
    limit: int = 100,
    offset: int = 0,
) -> WorkstreamList:
    """Those that match; InvalidInput for a domain that none has."""
    if domain:
        refuse_other("domain", domain, domains())
    found = Workstream.objects.all()
    if status is not None:
        found = found.filter(status=status)
    if domain:
        found = found.filter(domain=domain)
    if slug:
        found = found.filter(slug=slug)
    page = _counted(found.select_related("owner", "version", "merged_into").prefetch_related(*NEEDS))
    page = page[offset : offset + limit]
    return WorkstreamList(found.count(), tuple(_facts(workstream) for workstream in page))


def _counted(rows: QuerySet[Workstream]) -> QuerySet[Workstream]:
    return with_rework(rows).annotate(in_review=number_in_review())


def find_workstream(uuid: UUID) -> Workstream:
    """The row by its public id; NotFound when there is none."""
    rows = Workstream.objects.select_related("owner", "version__workflow", "merged_into").prefetch_related(
        *NEEDS
    )
    found = _counted(rows).filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such workstream.")
    return found


def workstream_detail(uuid: UUID) -> WorkstreamFacts:
    workstream = find_workstream(uuid)
    verdicts = explain(workstream)
    tasks = with_live_attempts(Task.objects.filter(workstream=workstream)).order_by(*LAUNCH_ORDER)
    explained = tuple(task_facts(task, verdicts.get(task.pk)) for task in tasks)
    used = tuple(usage_facts(one) for one in used_in(workstream))
    return replace(
        _facts(workstream),
        tasks=explained,
        integrations=integrations(workstream),
        used=used,
        outline=outline_of(workstream),
    )


def workstream_summary(uuid: UUID) -> WorkstreamFacts:
    """Without its tasks."""
    return _facts(find_workstream(uuid))


def tasks_of(workstream: Workstream, *, limit: int, offset: int) -> TaskList:
    """Its tasks in launch order, each explained: the open ones, and all of them where none is open."""
    rows = Task.objects.filter(workstream=workstream).order_by(*LAUNCH_ORDER)
    still_open = rows.filter(status__in=OPEN)
    rows = still_open if still_open.exists() else rows
    verdicts = explain(workstream)
    page = with_live_attempts(rows)[offset : offset + limit]
    return TaskList(rows.count(), tuple(task_facts(task, verdicts.get(task.pk)) for task in page))


def _facts(workstream: Workstream) -> WorkstreamFacts:
    return WorkstreamFacts(
        uuid=workstream.uuid,
        slug=workstream.slug,
        title=workstream.title,
        status=WorkstreamStatus(workstream.status),
        finished=workstream.finished_at is not None,
        in_review=workstream.in_review,  # type: ignore[attr-defined]
        domain=workstream.domain,
        owner=workstream.owner.get_username(),
        priority=workstream.priority,
        version=workstream.version.number,
        open_tasks=workstream.open_tasks,
        done_tasks=workstream.done_tasks,
        blocked_tasks=workstream.blocked_tasks,
        created_at=workstream.created_at,
        updated_at=workstream.updated_at,
        accepted_at=workstream.accepted_at,
        needs=tuple(sorted(need.needed.slug for need in workstream.needs.all())),
        needed_by=tuple(sorted(need.workstream.slug for need in workstream.needed_by.all())),
        merged_into=workstream.merged_into.slug if workstream.merged_into else "",
        bundle=workstream.bundle_id,
        rework=rework_count(workstream),
        budget=workstream.budget or workstream.version.budget,
        over_budget=workstream.over_budget,
    )
