"""Gates: which ones wait, sign, reject.

A person decides, through a session or a token of their own (FR-006, BX-3).
"""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.gates import (
    FixDraft,
    GateFacts,
    GateList,
    GateRejection,
    GateSignature,
    SignatureWithdrawal,
)
from orchestrator.contract.values import Page
from orchestrator.core.terms import Scope
from orchestrator.queries.changes.fix_stage import fix_draft
from orchestrator.queries.gates.gate_facts import gate_facts, list_waiting
from orchestrator.queries.gates.gates import find_gate
from orchestrator.services.plans.amendments import base_of
from orchestrator.services.review import gates, signatures

router = Routes(tags=["gates"])


@router.get("/", response=GateList)
@needs(Scope.READ)
def listing(request: HttpRequest, query: Query[Page]) -> GateList:
    """The gates that wait for a signature, longest wait first."""
    return list_waiting(limit=query.limit, offset=query.offset)


@router.get("/{int:task_id}/", response=GateFacts)
@needs(Scope.READ)
def inspect(request: HttpRequest, task_id: int) -> GateFacts:
    return gate_facts(task_id)


@router.get("/{int:task_id}/fix-stage", response=FixDraft)
@needs(Scope.READ)
def fix_stage(request: HttpRequest, task_id: int) -> FixDraft:
    """What a fix stage behind the gate would be prefilled with.

    Submit it to the workstream's `stages` (WF-5).
    """
    gate = find_gate(task_id)
    return fix_draft(gate, base_of(gate.workstream))


@router.post("/{int:task_id}/approve", response=GateFacts)
@act(gates.approve_gate)
def approve(request: HttpRequest, task_id: int, body: GateSignature) -> GateFacts:
    """Sign; with the last signature it asks for the gate is complete.

    Follow-ups become a new version of the plan.
    """
    gates.approve_gate(
        task_id=task_id,
        reason=body.reason,
        follow_ups=body.follow_ups,
        withdraw_seconds=body.withdraw_seconds,
        seen=body.attempt_id,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return gate_facts(task_id)


@router.post("/{int:task_id}/withdraw-signature", response=GateFacts)
@act(signatures.withdraw_signature)
def withdraw(request: HttpRequest, task_id: int, body: SignatureWithdrawal) -> GateFacts:
    """Withdraw one's own signature or rejection of a gate that still waits; it stays on record."""
    signatures.withdraw_signature(
        task_id=task_id, reason=body.reason, actor=caller_of(request).actor, now=timezone.now()
    )
    return gate_facts(task_id)


@router.post("/{int:task_id}/reject", response=GateFacts)
@act(gates.reject_gate)
def reject(request: HttpRequest, task_id: int, body: GateRejection) -> GateFacts:
    """Return work to an earlier step; it and everything after it, the gate included, is done again."""
    gates.reject_gate(
        task_id=task_id,
        return_key=body.return_to,
        reason=body.reason,
        withdraw_seconds=body.withdraw_seconds,
        seen=body.attempt_id,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return gate_facts(task_id)
