"""Who may sign a gate; the page asks before, the act asks again (FR-006)."""

from orchestrator.core.engine.signatures import sign_off
from orchestrator.core.errors import HeldBack, NoRole, NotAllowed, Refusal, SelfApproval, WrongState
from orchestrator.core.people.roles import SIGNERS
from orchestrator.core.terms import AttemptStatus
from orchestrator.models import GateReview, Task
from orchestrator.queries.engine.held import lost_before
from orchestrator.queries.engine.signatures import signer_of, signers_by_gate, workers_before
from orchestrator.services.base.actor import Actor


def why_not_decide(gate: Task, actor: Actor) -> Refusal | None:
    """Why this actor may neither sign nor reject a gate; None when they may.

    A person does, never an agent or a tool; the plan names them or their role; they have not signed this
    attempt; and they did not do the work it reviews, unless the workflow allows self-approval.
    """
    if actor.user is None or not actor.is_person:
        return NotAllowed(
            f"{actor.label} may not sign {gate.step.key}: a gate is signed by a person.",
            recovery="Ask a person to decide, on the gate's page or with a token of their own.",
        )
    if not actor.roles():
        return NoRole(f"{actor.account.get_username()} holds no role here.")
    named = list(gate.step.reviewers.values_list("name", flat=True))
    signer = signer_of(actor.user)
    if not any(signer.answers_to(name) for name in named or SIGNERS):
        asked = ", ".join(named) or "reviewer or approver"
        return NotAllowed(f"{actor.label} may not sign {gate.step.key}: it is signed by {asked}.")
    mine = GateReview.objects.filter(
        attempt__task=gate, attempt__status=AttemptStatus.QUEUED, reviewer=actor.user
    )
    if mine.exists():
        return WrongState(
            f"{actor.label} has signed {gate.step.key} already.",
            recovery="The others who are asked have to sign.",
        )
    return _own_work(gate, actor)


def why_not_approve(gate: Task, actor: Actor) -> Refusal | None:
    """Why this actor may not sign, although they may decide: a question is open, a handover before it was
    lost, or nobody they stand for is asked."""
    if gate.needs_human:
        return WrongState(
            f"{gate.step.key} waits for a person: {gate.intervention_note}",
            recovery="Answer the question, then sign; rejecting needs no answer.",
        )
    if lost := lost_before(gate):
        return HeldBack(f"{gate.step.key} is {lost.sentence}.", path=lost.path, holder=lost.key)
    names = list(gate.step.reviewers.values_list("name", flat=True))
    signers = signers_by_gate([gate]).get(gate.pk, ())
    before = sign_off(names, gate.step.signatures, signers)
    after = sign_off(names, gate.step.signatures, [*signers, signer_of(actor.account)])
    if not before.each or before.asked != after.asked:
        return None
    asked = " and ".join(before.asked)
    return WrongState(
        f"{gate.step.key} is asked of {asked} now, which {actor.label} is not.",
        recovery=f"Ask {asked} to sign.",
    )


def _own_work(gate: Task, actor: Actor) -> SelfApproval | None:
    if gate.workstream.version.workflow.allow_self_approval or actor.account.pk not in workers_before(gate):
        return None
    return SelfApproval(
        f"{actor.label} did work that {gate.step.key} reviews, and may not sign it off.",
        recovery="Ask another reviewer to decide, or allow self-approval on the workflow.",
    )
