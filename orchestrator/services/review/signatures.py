"""A signer thinks again: a signature or a rejection is withdrawn before it takes effect, and stays on record
(FR-006).

One that was kept back and is not withdrawn takes effect when its time has come.
"""

from datetime import datetime

from django.db.models import QuerySet

from orchestrator.core.actions import Action
from orchestrator.core.errors import Refusal, WrongState
from orchestrator.core.terms import AttemptStatus, GateDecision, Scope, VersionStatus
from orchestrator.models import GateReview
from orchestrator.queries.handoff.situation import gate_situation
from orchestrator.queries.plans.effect import promises
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import EVERY_ROLE, act
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import (
    Lock,
    locked_workstream,
    locked_workstream_of_task,
    refuse_inactive,
)
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.review.decisions import withdraw_version
from orchestrator.services.review.gates import complete_rejection, complete_signed
from orchestrator.services.work.attempts import named_in_history


@act(
    roles=EVERY_ROLE,
    scope=Scope.MANAGE,
    person="A signature is withdrawn by who gave it.",
    only="who gave it",
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW),
    records=(Action.SIGNATURE_WITHDRAWN,),
)
def withdraw_signature(*, task_id: int, actor: Actor, now: datetime, reason: str = "") -> GateReview:
    """Withdraw one's own signature or rejection of a gate that still waits, with its follow-ups.

    WrongState once the gate is decided, or when this person has no signature there that still counts. Locks
    as signing and taking effect do, so whichever comes first stands.
    """
    with unit_of_work():
        workstream = locked_workstream_of_task(task_id)
        refuse_inactive(workstream)
        mine = (
            _counting()
            .filter(attempt__task=task_id, attempt__task__workstream=workstream, reviewer=actor.account)
            .first()
        )
        if mine is None:
            raise WrongState(
                f"{actor.label} has no signature here that could be withdrawn.",
                recovery="What is in force is sent back instead: to the step that has to be done again.",
            )
        mine.withdrawn_at = now
        mine.save(update_fields=["withdrawn_at"])
        record(
            workstream=workstream,
            actor=actor,
            action=Action.SIGNATURE_WITHDRAWN,
            subject=f"{mine.attempt}",
            reason=reason,
            now=now,
            data={**named_in_history(mine.attempt), "reviewer_id": mine.reviewer_id},
        )
        _withdraw_follow_ups(mine, actor, now)
        wake(workstream.pk)
    return mine


def _withdraw_follow_ups(review: GateReview, actor: Actor, now: datetime) -> None:
    """The version that the follow-ups became is withdrawn too, unless it was decided or replaced before."""
    version = review.follow_up_version
    if not review.follow_ups or version is None or version.status != VersionStatus.IN_REVIEW:
        return
    withdraw_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        reason="The signature whose follow-ups it adds was withdrawn.",
        actor=actor,
        now=now,
    )


def signatures_take_effect(*, workstream_id: int, now: datetime) -> None:
    """Complete or turn down the gates of a workstream whose decision was kept back until now.

    One that cannot take effect now, because something came in between, waits and is looked at again. Running
    it again, or late, changes nothing.
    """
    if not promises(workstream_id).signature:
        return
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        try:
            refuse_inactive(workstream)
        except Refusal:
            return
        due = _counting().filter(attempt__task__workstream=workstream, effective_at__lte=now)
        for review in due.order_by("effective_at", "pk"):
            situation = gate_situation(workstream, review.attempt.task_id)
            if situation is not None:
                take_effect = complete_rejection if _rejects(review) else complete_signed
                take_effect(situation, review, now)


def _rejects(review: GateReview) -> bool:
    return review.decision == GateDecision.REJECTED


def _counting() -> QuerySet[GateReview]:
    """Signatures and rejections of gates that still wait."""
    rows = GateReview.objects.filter(attempt__status=AttemptStatus.QUEUED, withdrawn_at=None)
    return rows.select_related("attempt__task__step", "reviewer", "follow_up_version", "return_step")
