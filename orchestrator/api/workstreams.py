"""Workstreams: list, inspect, accept, archive (FR-002, LC-9, LC-10)."""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.schemas import StatusChange, WorkstreamQuery
from orchestrator.core.terms import Scope
from orchestrator.queries.workstream_facts import (
    WorkstreamFacts,
    WorkstreamList,
    list_workstreams,
    workstream_detail,
)
from orchestrator.services.closing import close_workstream

router = Router(tags=["workstreams"])


@router.get("/", response=WorkstreamList, url_name="workstreams")
@needs(Scope.READ)
def listing(request: HttpRequest, query: Query[WorkstreamQuery]) -> WorkstreamList:
    return list_workstreams(status=query.status, domain=query.domain, limit=query.limit, offset=query.offset)


@router.get("/{uuid:uuid}/", response=WorkstreamFacts, url_name="workstream")
@needs(Scope.READ)
def inspect(request: HttpRequest, uuid: UUID) -> WorkstreamFacts:
    """With every task in launch order and why it stands where it stands."""
    return workstream_detail(uuid)


@router.patch("/{uuid:uuid}/", response=WorkstreamFacts)
@act(Scope.MANAGE)
def change(request: HttpRequest, uuid: UUID, body: StatusChange) -> WorkstreamFacts:
    """`{"status": "completed"}` accepts a finished workstream; `{"status": "archived"}` archives it."""
    close_workstream(
        workstream=uuid,
        status=body.status,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(uuid)
