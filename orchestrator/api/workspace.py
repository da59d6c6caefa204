"""The workspace: whether the database knows its branch (F22 to F24), and the files that executors committed
there themselves (FR-029)."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.workspace import CollectedList, CollectedQuery, SettlementChoice, WorkspaceFacts
from orchestrator.core.terms import Scope
from orchestrator.queries.handoff.collected import list_collected
from orchestrator.services.handoff.divergence import settle_divergence, workspace_facts
from orchestrator.services.work.collector import collect_now

router = Routes(tags=["workspace"])
collected = Routes(tags=["collected files"])


@router.get("/", response=WorkspaceFacts)
@needs(Scope.READ)
def inspect(request: HttpRequest) -> WorkspaceFacts:
    """`agrees` is false while work is stopped; `ways` are what an approver may decide."""
    return workspace_facts(now=timezone.now())


@router.post("/settle", response=WorkspaceFacts)
@act(settle_divergence)
def settle(request: HttpRequest, body: SettlementChoice) -> WorkspaceFacts:
    """A person with the role approver decides, with a reason.

    The branch's commits are kept under `refs/diverged/`.
    """
    settle_divergence(way=body.way, reason=body.reason, actor=caller_of(request).actor, now=timezone.now())
    return workspace_facts(now=timezone.now())


@collected.get("/", response=CollectedList)
@needs(Scope.READ)
def listing(request: HttpRequest, query: Query[CollectedQuery]) -> CollectedList:
    """Newest first; `problem` says why a file was quarantined."""
    return list_collected(state=query.state, executor=query.executor, limit=query.limit, offset=query.offset)


@collected.post("/", response=CollectedList)
@act(collect_now)
def collect(request: HttpRequest) -> CollectedList:
    """Look at new files now instead of waiting for the queue; answers with the newest ones."""
    collect_now(actor=caller_of(request).actor, now=timezone.now())
    return list_collected()
