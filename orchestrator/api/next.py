"""The next step for an executor, and what it holds (FR-027)."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.attempts import HeldTasks, McpFacts, NextFacts, NextRequest
from orchestrator.contract.values import Page
from orchestrator.core.terms import Scope
from orchestrator.queries.base.mcp_address import mcp_address
from orchestrator.queries.work.held_tasks import held_tasks
from orchestrator.services.next_facts import next_told, wanted_work
from orchestrator.services.next_step import claim_next

router = Routes(tags=["attempts"])
#: What a call without a body asks for.
ANY_WORK = NextRequest()


@router.post("/next", response=NextFacts)
@act(claim_next)
def take_next(request: HttpRequest, body: NextRequest = ANY_WORK) -> NextFacts:
    """Claim the first step that the caller may do, in the scheduler's order, or wait up to `wait` seconds for
    one.

    An agent that holds a step already is answered with that and its token. Without a step the answer says
    what is in the way.
    """
    caller, wanted = caller_of(request), wanted_work(body.workstream, body.repository)
    return next_told(
        executor=caller.executor,
        actor=caller.actor,
        wanted=wanted,
        seconds=body.wait,
        clock=timezone.now,
    )


@router.get("/mine", response=HeldTasks)
@needs(Scope.READ)
def mine(request: HttpRequest, query: Query[Page]) -> HeldTasks:
    """What the caller holds, with the tokens: enough to go on after everything else was forgotten."""
    return held_tasks(caller_of(request).executor, limit=query.limit, offset=query.offset)


@router.get("/mcp", response=McpFacts)
@needs(Scope.READ)
def mcp(request: HttpRequest) -> McpFacts:
    """Where MCP over HTTP listens, for the files of clients."""
    return McpFacts(mcp_address())
