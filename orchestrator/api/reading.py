"""What people read on pages, for machines: plan text, history, portfolio (FR-002, FR-009, LC-5)."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import needs
from orchestrator.api.routes import Routes
from orchestrator.contract.versions import SourceText
from orchestrator.contract.workstreams import (
    HistoryFacts,
    HistoryPage,
    HistoryQuery,
    PortfolioFacts,
    PortfolioPage,
    PortfolioQuery,
)
from orchestrator.core.terms import Scope, VersionStatus
from orchestrator.models import HistoryEntry, WorkflowVersion
from orchestrator.queries.base.history import Trail
from orchestrator.queries.plans.plans import find_version
from orchestrator.queries.workstreams.portfolio import Filters, Portfolio, PortfolioItem
from orchestrator.queries.workstreams.workstream_facts import find_workstream

router = Routes(tags=["reading"])


@router.get("/workstreams/{uuid:uuid}/plan", response=SourceText)
@needs(Scope.READ)
def plan(request: HttpRequest, uuid: UUID) -> SourceText:
    """The text of the version that the workstream follows."""
    followed = find_workstream(uuid).version
    return _text(find_version(followed.workflow.slug, followed.number))


@router.get("/workflows/{slug:slug}/versions/{int:number}/text", response=SourceText)
@needs(Scope.READ)
def text(request: HttpRequest, slug: str, number: int) -> SourceText:
    """The text of any version."""
    return _text(find_version(slug, number))


@router.get("/history/", response=HistoryPage)
@needs(Scope.READ)
def history(request: HttpRequest, query: Query[HistoryQuery]) -> HistoryPage:
    """Every change: who, what, why and when; newest first."""
    found = find_workstream(query.workstream) if query.workstream else None
    entries = Trail(actor=query.actor, action=query.action, text=query.text, workstream=found).entries
    page = entries[query.offset : query.offset + query.limit]
    return HistoryPage(entries.count(), tuple(_entry(entry) for entry in page))


@router.get("/portfolio/", response=PortfolioPage)
@needs(Scope.READ)
def portfolio(request: HttpRequest, query: Query[PortfolioQuery]) -> PortfolioPage:
    """The rows of the portfolio with the same filters, each with why it stands where it stands."""
    filters = Filters(
        states=frozenset(query.state),
        signals=frozenset(query.signal),
        window=query.window,
        domain=query.domain,
        owner=query.owner,
        workflow=query.workflow,
        text=query.text,
    )
    chosen = Portfolio(filters, timezone.now(), ZoneInfo(settings.PROJECT_TIME_ZONE))
    page = list(chosen.rows[query.offset : query.offset + query.limit])
    return PortfolioPage(chosen.count, tuple(_item(item) for item in chosen.items_of(page)))


def _text(version: WorkflowVersion) -> SourceText:
    return SourceText(
        workflow=version.workflow.slug,
        version=version.number,
        status=VersionStatus(version.status),
        source_name=version.source_name,
        sha256=version.source_sha256,
        text=version.source,
    )


def _entry(entry: HistoryEntry) -> HistoryFacts:
    return HistoryFacts(
        sequence=entry.sequence,
        recorded_at=entry.recorded_at,
        actor=entry.actor,
        account=entry.account,
        kind=entry.kind,
        action=entry.action,
        subject=entry.subject,
        reason=entry.reason,
        workstream=entry.workstream.slug if entry.workstream else "",
        corrects=entry.corrects.sequence if entry.corrects else None,
        leaf_hash=entry.leaf_hash,
        previous_hash=entry.previous_hash,
    )


def _item(item: PortfolioItem) -> PortfolioFacts:
    row = item.workstream
    return PortfolioFacts(
        uuid=row.uuid,
        slug=row.slug,
        title=row.title,
        state=item.state,
        signals=item.signals,
        why=item.why,
        domain=row.domain,
        owner=row.owner.get_username(),
        workflow=row.version.workflow.slug,
        version=row.version.number,
        open_tasks=row.open_tasks,
        done_tasks=row.done_tasks,
        blocked_tasks=row.blocked_tasks,
        updated_at=row.updated_at,
    )
