"""The workspace's branch: whether the database knows it, and what is decided when it does not.

Requirements: F22 to F24.
"""

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.workspace import SettlementChoice, WorkspaceFacts
from orchestrator.core.terms import Scope
from orchestrator.services.handoff.divergence import settle_divergence, workspace_facts

router = Routes(tags=["workspace"])


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
