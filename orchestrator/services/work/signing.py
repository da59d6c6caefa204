"""Who may sign a gate; the page asks before, the act asks again (FR-006)."""

from orchestrator.core.engine import explain
from orchestrator.core.engine.signatures import Signer, SignOff
from orchestrator.core.errors import (
    AlreadyDecided,
    HeldBack,
    NoRole,
    NotAllowed,
    Refusal,
    SelfApproval,
    WrongState,
)
from orchestrator.core.people.roles import SIGNERS
from orchestrator.core.terms import TaskStatus
from orchestrator.models import Task
from orchestrator.queries.engine.held import lost_before
from orchestrator.queries.engine.signatures import Signatures, signatures_of, workers_before
from orchestrator.services.base.actor import Actor
from orchestrator.services.handoff.baseline import why_integrated


def signer(actor: Actor) -> Signer:
    """Who acts, as somebody who signs."""
    return Signer(actor.account.get_username(), frozenset(role.value for role in actor.roles()))


def why_not_decide(
    gate: Task, actor: Actor, signatures: Signatures | None = None, names_steps: bool | None = None
) -> Refusal | None:
    """Why this actor may neither sign nor reject a gate; None when they may.

    A person does, never an agent or a tool; the plan names them or their role; they have not signed this
    attempt; and they did not do the work it reviews, unless the workflow allows self-approval. `signatures`
    and `names_steps` (`queries.engine.signatures`) are read here unless they are known.
    """
    if actor.user is None or not actor.is_person:
        return NotAllowed(
            f"{actor.label} may not sign {gate.step.key}: a gate is signed by a person.",
            recovery="Ask a person to decide, on the gate's page or with a token of their own.",
        )
    me = signer(actor)
    if not me.roles:
        return NoRole(f"{me.name} holds no role here.")
    signatures = signatures or signatures_of(gate)
    if not any(me.answers_to(name) for name in signatures.names or SIGNERS):
        asked = ", ".join(signatures.names) or "reviewer or approver"
        return NotAllowed(f"{actor.label} may not sign {gate.step.key}: it is signed by {asked}.")
    if me.name in (so_far := signatures.sign_off()).signed:
        signed = f"{actor.label} has signed {gate.step.key} already."
        return AlreadyDecided(signed, recovery=_after_signing(so_far))
    return _own_work(gate, actor, names_steps)


def why_waits_for_nobody(gate: Task, *, waits: bool, rejected: bool, stands: str) -> Refusal | None:
    """Why nobody decides about the gate now, whoever asks; None while it waits for a decision.

    `waits`: an attempt of it does. `rejected`: it was rejected, and that has not taken effect yet. `stands`
    is the sentence that says where a gate stands which does not wait.
    """
    if gate.status == TaskStatus.COMPLETE:
        return AlreadyDecided("It is signed already.", recovery="The decisions stand on its page.")
    if rejected:
        return AlreadyDecided(
            "It is rejected.",
            recovery="It can be decided again once the work has come back, or that was withdrawn.",
        )
    if not waits:
        said = explain.nothing_to_sign(stands)
        return WrongState(said, recovery="Whoever signs is told when it waits for them.")
    return None


def why_not_reject(gate: Task, *, somewhere: bool) -> Refusal | None:
    """Why a gate that may be decided cannot be rejected: no earlier step was done that work could return to
    (`somewhere`), or the work is part of the base branch."""
    if not somewhere:
        return WrongState(
            "No step before this gate was completed, so work cannot return to one.",
            recovery="Approve it, or wait until a step before it is complete.",
        )
    return why_integrated(gate.workstream)


def _after_signing(so_far: SignOff) -> str:
    if so_far.complete:
        return "No other signature is asked for; until it takes effect you may withdraw yours."
    asked = " and ".join(so_far.asked)
    if not so_far.each:
        more = so_far.needed - so_far.count
        by = " or ".join(so_far.asked or sorted(SIGNERS))
        asked = f"{more} more signature{'' if more == 1 else 's'} by {by}"
    return f"Still asked for: {asked}. Until the last one you may withdraw yours."


def why_not_approve(
    gate: Task, actor: Actor, signatures: Signatures | None = None, *, lost: bool = True
) -> Refusal | None:
    """Why this actor may not sign, although they may decide: a question is open, a handover before it was
    lost, or nobody they stand for is asked. `lost` is false where it is known that no handover was."""
    if gate.needs_human:
        return WrongState(
            f"{gate.step.key} waits for a person: {gate.intervention_note}",
            recovery="Answer the question, then sign; rejecting needs no answer.",
        )
    if lost and (before := lost_before(gate)):
        return HeldBack(f"{gate.step.key} is {before.sentence}.", path=before.path, holder=before.key)
    signatures = signatures or signatures_of(gate)
    if signatures.sign_off().complete:
        return WrongState(
            f"{gate.step.key} has every signature it asks for, which takes effect in a moment.",
            recovery="Who signed last may withdraw the signature until then; you may still reject.",
        )
    now, then = signatures.sign_off(), signatures.sign_off(signer(actor))
    if not now.each or now.asked != then.asked:
        return None
    asked = " and ".join(now.asked)
    return WrongState(
        f"{gate.step.key} is asked of {asked} now, which {actor.label} is not.",
        recovery=f"Ask {asked} to sign.",
    )


def _own_work(gate: Task, actor: Actor, names_steps: bool | None) -> SelfApproval | None:
    if gate.workstream.version.workflow.allow_self_approval:
        return None
    if actor.account.pk not in workers_before(gate, names_steps):
        return None
    return SelfApproval(
        f"{actor.label} did work that {gate.step.key} reviews, and may not sign it off.",
        recovery="Ask another reviewer to decide, or allow self-approval on the workflow.",
    )
