"""What the decision bar of a review does, and why a control of it is off (WF-3, DC-5)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from orchestrator.core.errors import NotFound
from orchestrator.core.plans.impossible import ImpossibleNeed
from orchestrator.core.terms import VersionStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.plans import plans as queries
from orchestrator.queries.plans.effect import in_effect
from orchestrator.queries.plans.sign_offs import sign_offs
from orchestrator.services.plans.plans import why_not_submit
from orchestrator.services.review import decisions
from orchestrator.services.review.dropped_needs import drop_dependency, why_not_drop
from orchestrator.services.review.withdrawals import why_not_withdraw_approval, withdraw_approval
from orchestrator.web.acting import Viewer, does, now, number, off, typed, viewer
from orchestrator.web.moments import typed_moment

#: A page that waits longer than this for a version to take effect is not loaded again by itself.
WATCHED: Final = 3600


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An approval that can still be withdrawn. `waits` says that the version is approved and has not taken
    effect.

    `own`: the reader gave one of the approvals. `left` are the seconds to the time of effect, 0 when it has
    come.
    """

    own: bool
    waits: bool
    at: datetime | None
    left: int

    @property
    def again_in(self) -> int:
        """Seconds after which the page asks how it stands; 0 when it does not."""
        return max(self.left + 1, 2) if self.waits and self.left < WATCHED else 0


def withdrawal_for(
    who: Viewer, version: WorkflowVersion, workstream: Workstream, moment: datetime
) -> Withdrawal | None:
    """The approval of a version that can be withdrawn; None when none can (WF-3)."""
    if version.status not in {VersionStatus.IN_REVIEW, VersionStatus.APPROVED} or in_effect(version):
        return None
    own = why_not_withdraw_approval(version, workstream, who.actor, sign_offs(version)) is None
    waits, at = version.status == VersionStatus.APPROVED, version.effective_at
    if not (own or waits):
        return None
    return Withdrawal(own, waits, at, max(0, math.ceil((at - moment).total_seconds())) if at else 0)


def decide(request: HttpRequest) -> str:
    """Run the decision that the form names; what to say about it."""
    decision = request.POST.get("decision", "")
    if decision == "approve":
        return _approve(request)
    if decision == "withdraw-approval":
        return _withdraw_approval(request)
    if decision == "send-back":
        return _send_back(request)
    if decision == "withdraw":
        return _withdraw(request)
    raise NotFound(f"There is no decision {decision!r} here.")


def after(version: WorkflowVersion) -> str:
    """The page that shows what a decision came to: the work of an approved version, which says how long the
    approval can be withdrawn; else its review."""
    version.refresh_from_db(fields=["status"])
    if version.status == VersionStatus.APPROVED:
        return reverse("workstream", args=[queries.workstream_of(version).uuid])
    return reverse("plan-review", args=[version.workflow.slug, version.number])


def why_not(
    who: Viewer,
    version: WorkflowVersion,
    newest: WorkflowVersion,
    review: queries.Review,
    workstream: Workstream,
) -> dict[str, str]:
    """Why each control of the review is off for this person; empty text when it is on."""
    over = off(decisions.why_moved(version, newest) or decisions.why_settled(version))
    blocked = decisions.why_blocked(review.blockers)
    return {
        "approve": over
        or off(decisions.why_not_approve_version(version, workstream, who.actor, sign_offs(version)))
        or off(blocked),
        "send_back": over or off(decisions.why_not_send_back_version(version, workstream, who.actor)),
        "drop": over or off(why_not_drop(version, workstream, who.actor)),
        "withdraw": over or off(decisions.why_not_withdraw(version, who.actor)),
        "resubmit": off(why_not_submit(workstream, who.actor)),
    }


@does(drop_dependency)
def drop(request: HttpRequest, shown: Sequence[ImpossibleNeed]) -> str:
    """Drop the dependency that the form chooses of those that were shown; what to say about it."""
    place = number(request, "pair")
    if place >= len(shown):
        raise NotFound("There is no such dependency.")
    step, need = shown[place].step, shown[place].need
    made = drop_dependency(
        version_id=number(request, "version_id"),
        seen_sha256=typed(request, "seen_sha256"),
        step=step,
        need=need,
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )
    return f"Version {made.number} has the same text, without the dependency of {step} on “{need}”."


@does(decisions.approve_version)
def _approve(request: HttpRequest) -> str:
    version_id, when = number(request, "version_id"), typed_moment(request, "effective_at")
    decisions.approve_version(
        version_id=version_id,
        seen_sha256=typed(request, "seen_sha256"),
        actor=viewer(request).actor,
        now=now(),
        note=typed(request, "reason"),
        effective_at=when,
        withdraw_seconds=settings.WITHDRAW_SECONDS,
    )
    if so_far := not_yet(version_id):
        return so_far
    if when:
        return "The plan is approved. It becomes effective at the time you gave; nothing of it starts before."
    if settings.WITHDRAW_SECONDS:
        return (
            f"The plan is approved. Nothing starts for {settings.WITHDRAW_SECONDS} seconds, in which "
            f"you can withdraw your approval."
        )
    return "The plan is approved: its tasks are created and the first ones start as soon as the rules allow."


@does(decisions.send_back_version)
def _send_back(request: HttpRequest) -> str:
    decisions.send_back_version(
        version_id=number(request, "version_id"),
        seen_sha256=typed(request, "seen_sha256"),
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )
    return "The plan is sent back to its author with your reason."


@does(decisions.withdraw_version)
def _withdraw(request: HttpRequest) -> str:
    decisions.withdraw_version(
        version_id=number(request, "version_id"),
        seen_sha256=typed(request, "seen_sha256"),
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )
    return "The version is withdrawn with your reason; nobody has to decide on it any more."


@does(withdraw_approval)
def _withdraw_approval(request: HttpRequest) -> str:
    version = withdraw_approval(
        version_id=number(request, "version_id"),
        reason=typed(request, "reason"),
        actor=viewer(request).actor,
        now=now(),
    )
    if version.status == VersionStatus.SUPERSEDED:
        return (
            f"Your approval of version {version.number} is withdrawn. A newer version waits for a decision."
        )
    return f"Your approval is withdrawn and stays on record; version {version.number} is in review."


def not_yet(version_id: int) -> str:
    """What to say after an approval that was not the last one needed; empty when the version is approved."""
    version = WorkflowVersion.objects.select_related("workflow").get(pk=version_id)
    if version.status == VersionStatus.APPROVED:
        return ""
    return (
        f"Your approval is kept ({sign_offs(version).sentence}); nothing starts before the last one. "
        "The last approver says when it becomes effective and what becomes of steps."
    )
