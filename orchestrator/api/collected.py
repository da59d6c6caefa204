"""Files that executors committed themselves: what became of them, and a look at once (FR-029)."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.collected import CollectedList, CollectedQuery
from orchestrator.core.terms import Scope
from orchestrator.queries.handoff.collected import list_collected
from orchestrator.services.work.collector import collect_now

router = Routes(tags=["collected files"])


@router.get("/", response=CollectedList)
@needs(Scope.READ)
def listing(request: HttpRequest, query: Query[CollectedQuery]) -> CollectedList:
    """Newest first; `problem` says why a file was quarantined."""
    return list_collected(state=query.state, executor=query.executor, limit=query.limit, offset=query.offset)


@router.post("/", response=CollectedList)
@act(collect_now)
def collect(request: HttpRequest) -> CollectedList:
    """Look at new files now instead of waiting for the queue; answers with the newest ones."""
    collect_now(actor=caller_of(request).actor, now=timezone.now())
    return list_collected()
