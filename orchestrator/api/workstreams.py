"""Workstreams: list, inspect, accept, archive (FR-002, LC-9, LC-10)."""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.schemas import Integration, Revert, StatusChange, WorkstreamQuery
from orchestrator.core.terms import IntegrationSource, Scope
from orchestrator.queries.workstream_facts import (
    WorkstreamFacts,
    WorkstreamList,
    find_workstream,
    list_workstreams,
    workstream_detail,
)
from orchestrator.services import baseline
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


@router.post("/{uuid:uuid}/integration", response=WorkstreamFacts)
@act(Scope.MANAGE)
def integrate(request: HttpRequest, uuid: UUID, body: Integration) -> WorkstreamFacts:
    """Record that the work became part of its base branch; rework needs a revert decision from then on."""
    baseline.integrate(
        workstream_id=find_workstream(uuid).pk,
        source=IntegrationSource.API,
        commit=body.commit,
        note=body.note,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(uuid)


@router.post("/{uuid:uuid}/integration/look", response=WorkstreamFacts)
@act(Scope.MANAGE)
def look(request: HttpRequest, uuid: UUID) -> WorkstreamFacts:
    """Record the integration when the repository's base branch holds all of the work."""
    baseline.look(workstream_id=find_workstream(uuid).pk, actor=caller_of(request).actor, now=timezone.now())
    return workstream_detail(uuid)


@router.post("/{uuid:uuid}/revert", response=WorkstreamFacts)
@act(Scope.MANAGE)
def revert(request: HttpRequest, uuid: UUID, body: Revert) -> WorkstreamFacts:
    """A person decides that integrated work is taken back; afterwards it may be sent back and done again."""
    baseline.revert(
        workstream_id=find_workstream(uuid).pk,
        reason=body.reason,
        commit=body.commit,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return workstream_detail(uuid)
