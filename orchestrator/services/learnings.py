"""Learnings: what a batch or merge point taught, written where the next executor reads it (BX-7)."""

from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import InvalidInput, MissingReason
from orchestrator.core.terms import Role
from orchestrator.models import Learning, Workstream
from orchestrator.services.actor import Actor
from orchestrator.services.history import record
from orchestrator.services.locks import locked_workstream
from orchestrator.services.wake import wake


def record_learning(
    *, workstream: Workstream, after: str, went_wrong: str, worked: str, tighten: str, actor: Actor, now: datetime
) -> Learning:
    """Keep at least one of the three texts for the batch or step named in `after`; it stands in LEARNINGS.md and in
    every later brief."""
    actor.require(Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER)
    texts = {"went wrong": went_wrong.strip(), "worked": worked.strip(), "needs tightening": tighten.strip()}
    if not any(texts.values()):
        raise MissingReason("Say what went wrong, what worked, or what needs tightening.", field="went_wrong")
    if not after.strip() or len(after) > 80:
        raise InvalidInput("Name the batch or step it was learned at, in at most 80 characters.", field="after")
    with transaction.atomic():
        locked = locked_workstream(workstream.pk)
        learning = Learning.objects.create(
            workstream=locked,
            after=after.strip(),
            went_wrong=texts["went wrong"],
            worked=texts["worked"],
            tighten=texts["needs tightening"],
            author=actor.account,
            recorded_at=now,
        )
        said = "; ".join(f"{name}: {text}" for name, text in texts.items() if text)
        record(workstream=locked, actor=actor, action="learning recorded", subject=after.strip(), reason=said, now=now)
        wake(locked.pk)
    return learning
