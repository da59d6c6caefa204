"""Gates that somebody else decided first, or that are not what was read: who, what and when (FR-006)."""

from orchestrator.core.errors import AlreadyDecided, Refusal
from orchestrator.core.terms import GateDecision
from orchestrator.models import GateReview
from orchestrator.queries.handoff.situation import Situation

READ_AGAIN = "Read what came in now, then decide."


def rejected_already(situation: Situation) -> Refusal:
    """Why nobody decides beside a rejection that is kept back."""
    standing = GateReview.objects.get(
        attempt=situation.attempt, decision=GateDecision.REJECTED, withdrawn_at=None
    )
    return AlreadyDecided(
        f"{situation.step.key} is rejected by {standing.signed_as}, which takes effect in a moment.",
        recovery="Who rejected it may withdraw that until then; else decide when it waits again.",
        at=standing.signed_at.isoformat(),
    )


def refuse_unheard(situation: Situation, heard: int | None) -> None:
    """Somebody decided since the page was opened, whom who decides now knows nothing of."""
    if heard is None:
        return
    standing = GateReview.objects.filter(attempt=situation.attempt, withdrawn_at=None, pk__gt=heard)
    if last := standing.order_by("-signed_at", "-pk").first():
        raise AlreadyDecided(
            f"{situation.step.key} was {GateDecision(last.decision).value} by {last.signed_as} already, "
            "since you opened the page.",
            recovery="Read that decision; if you still want another one, decide again.",
            at=last.signed_at.isoformat(),
        )


def came_in_anew(situation: Situation, seen: int | None) -> Refusal:
    """Why a decision about another attempt than the one that waits does not count for this one."""
    last = GateReview.objects.filter(attempt=seen, withdrawn_at=None).order_by("-signed_at", "-pk").first()
    now_waits = f"{situation.step.key} waits again, as attempt {situation.attempt.number}"
    if last is None:
        return AlreadyDecided(
            f"{now_waits}: something else came in since you opened the page.", recovery=READ_AGAIN
        )
    word = GateDecision(last.decision).value
    return AlreadyDecided(
        f"What you read was {word} by {last.signed_as} already; {now_waits}.",
        recovery=READ_AGAIN,
        at=last.signed_at.isoformat(),
    )
