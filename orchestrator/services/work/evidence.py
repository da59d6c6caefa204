"""Evidence: what an executor hands in after its claim has ended. It is kept, within limits, for whoever looks
into what happened; it is never applied, never committed, and never in the way of the result that counts
(F26)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum
from django.db.models.functions import Length

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models import Assignment, Attempt, Executor, HandoffArtifact, OutputFile
from orchestrator.queries.handoff.situation import Situation
from orchestrator.services.base.actor import Actor
from orchestrator.services.handoff.artifacts import announce, output_files
from orchestrator.services.work.attempts import record_attempt

#: Late results of one attempt that are kept, and the bytes of all of them together.
MOST_RESULTS = 3
MOST_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Late:
    """What became of a late result: whether it is kept, and the sentence for its sender."""

    kept: bool
    said: str


def keep_late_result(
    situation: Situation,
    token: int,
    executor: Executor,
    outcome: str,
    outputs: Mapping[str, bytes],
    now: datetime,
) -> Late:
    """Keep what a stale claim sent, if its sender held the attempt and there is room.

    The caller holds the workstream's lock and refuses the act in any case.
    """
    attempt = situation.attempt
    if why := _why_not_kept(attempt, token, executor, outcome, outputs):
        return Late(False, f"Nothing of what was sent is kept: {why}")
    actor = Actor.member(executor)
    try:
        files = output_files(situation, outputs, apart=True)
        kept = announce(
            attempt=attempt,
            event=EventType.ATTEMPT_COMPLETED,
            actor=actor,
            outcome=outcome,
            next_action="None: the claim had ended. Kept as evidence.",
            now=now,
            situation=situation,
            files=files,
            state=ArtifactState.QUARANTINED,
        )
    except InvalidInput as refusal:
        return Late(False, f"Nothing of what was sent is kept: {refusal.message}")
    data = {"artifact": kept.path}
    record_attempt(attempt, actor, Action.STALE_RESULT_QUARANTINED, now, reason=outcome, data=data)
    return Late(True, "What was sent is kept as evidence.")


def _why_not_kept(
    attempt: Attempt, token: int, executor: Executor, outcome: str, outputs: Mapping[str, bytes]
) -> str:
    held = Assignment.objects.filter(attempt=attempt, executor=executor)
    if not held.exists():
        return f"{executor.name} never held the attempt."
    if not held.filter(token=token).exists():
        return (
            "the token was never given for it; who holds it claims once more and is answered with its token."
        )
    kept = HandoffArtifact.objects.filter(attempt=attempt, state=ArtifactState.QUARANTINED)
    if kept.count() >= MOST_RESULTS:
        return f"{MOST_RESULTS} late results of the attempt are kept already, which is the most."
    stored = OutputFile.objects.filter(artifact__in=kept).aggregate(size=Sum(Length("content")))["size"] or 0
    size = len(outcome.encode()) + sum(len(content) for content in outputs.values())
    if stored + size > MOST_BYTES:
        return (
            f"late results of one attempt have {MOST_BYTES} bytes at most, and this would make "
            f"{stored + size}."
        )
    return ""
