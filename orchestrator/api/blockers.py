"""Blockers: list with their impact, declare, resolve, pass on (FR-012)."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.blockers import (
    BlockerFacts,
    BlockerList,
    BlockerQuery,
    BlockerResolution,
    NewBlocker,
)
from orchestrator.contract.ownership import OwnerChange
from orchestrator.core.terms import Scope
from orchestrator.queries.work.blocker_facts import find_blocker, list_blockers
from orchestrator.queries.work.blockers import BlockerFilter
from orchestrator.services.people import blockers, ownership

router = Routes(tags=["blockers"])


@router.get("/blockers/", response=BlockerList)
@needs(Scope.READ)
def listing(request: HttpRequest, query: Query[BlockerQuery]) -> BlockerList:
    """`state` is open, resolved or all; each open one with what is delayed behind it."""
    workstream = str(query.workstream or "")
    wanted = BlockerFilter(query.state, query.owner, query.kind or "", workstream)
    return list_blockers(wanted, timezone.now(), limit=query.limit, offset=query.offset)


@router.post("/tasks/{int:task_id}/blockers", response=BlockerFacts)
@act(blockers.declare_blocker)
def declare(request: HttpRequest, task_id: int, body: NewBlocker) -> BlockerFacts:
    """Without `owner`, the account that declares it sees to it."""
    blocker = blockers.declare_blocker(
        task_id=task_id,
        kind=body.kind,
        note=body.note,
        owner=body.owner,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return find_blocker(blocker.pk, timezone.now())


@router.post("/blockers/{int:blocker_id}/resolve", response=BlockerFacts)
@act(blockers.resolve_blocker)
def resolve(request: HttpRequest, blocker_id: int, body: BlockerResolution) -> BlockerFacts:
    blockers.resolve_blocker(
        blocker_id=blocker_id, resolution=body.resolution, actor=caller_of(request).actor, now=timezone.now()
    )
    return find_blocker(blocker_id, timezone.now())


@router.post("/blockers/{int:blocker_id}/owner", response=BlockerFacts)
@act(ownership.transfer_blocker)
def pass_on(request: HttpRequest, blocker_id: int, body: OwnerChange) -> BlockerFacts:
    ownership.transfer_blocker(
        blocker_id=blocker_id,
        to=body.to,
        reason=body.reason,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return find_blocker(blocker_id, timezone.now())
