"""What the decision bar of a review does, and why a control of it is off (WF-3, DC-5)."""

from django.http import HttpRequest
from django.urls import reverse

from orchestrator.core.errors import NotFound
from orchestrator.core.terms import Role, VersionStatus, WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries import plans as queries
from orchestrator.queries.sign_offs import sign_offs
from orchestrator.services import decisions
from orchestrator.web.acting import Viewer, now, number, typed, viewer
from orchestrator.web.moments import typed_moment

OPEN = frozenset({WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE})


def decide(request: HttpRequest) -> str:
    """Run the decision that the form names; what to say about it."""
    decision = request.POST.get("decision", "")
    if decision == "approve":
        return _approve(request)
    who, reason, version_id = viewer(request).actor, typed(request, "reason"), number(request, "version_id")
    seen = typed(request, "seen_sha256")
    if decision == "send-back":
        decisions.send_back_version(version_id=version_id, seen_sha256=seen, actor=who, now=now(), reason=reason)
        return "The plan is sent back to its author with your reason."
    if decision == "withdraw":
        decisions.withdraw_version(version_id=version_id, seen_sha256=seen, actor=who, now=now(), reason=reason)
        return "The version is taken back with your reason; nobody has to decide on it any more."
    raise NotFound(f"There is no decision {decision!r} here.")


def after(version: WorkflowVersion) -> str:
    """The page that shows what a decision came to: the work of an approved version, else its review."""
    version.refresh_from_db(fields=["status"])
    if version.status == VersionStatus.APPROVED:
        return reverse("workstream", args=[queries.workstream_of(version).uuid])
    return reverse("plan-review", args=[version.workflow.slug, version.number])


def why_not(
    who: Viewer, version: WorkflowVersion, newest: WorkflowVersion, review: queries.Review, workstream: Workstream
) -> dict[str, str]:
    """Why each control of the review is off for this person; empty text when it is on."""
    settled = _settled(version, newest, workstream)
    blocked = len(review.blockers)
    return {
        "approve": settled
        or who.lacks(Role.APPROVER)
        or why_not_sign(who, version)
        or (blocked and "The top of the page says what blocks it and what clears it.")
        or "",
        "send_back": settled or who.lacks(Role.APPROVER, Role.REVIEWER),
        "withdraw": settled or ("" if version.author_id == who.user.pk else who.lacks(Role.APPROVER)),
        "resubmit": who.lacks(Role.INITIATOR, Role.APPROVER, Role.REVIEWER)
        if workstream.status in OPEN
        else f"The workstream is {workstream.status}; its plan no longer changes.",
    }


def why_not_sign(who: Viewer, version: WorkflowVersion) -> str:
    """Why this approver may not approve the version: it is their own, or they did and others have to."""
    if version.author_id == who.user.pk and not version.workflow.allow_self_approval:
        return "You wrote this version; another approver has to approve it."
    so_far = sign_offs(version)
    if so_far.missing and who.user.get_username() in so_far.given:
        return f"You approved this version ({so_far.sentence}); another approver has to approve it too."
    return ""


def _approve(request: HttpRequest) -> str:
    version_id, when = number(request, "version_id"), typed_moment(request, "effective_at")
    decisions.approve_version(
        version_id=version_id,
        seen_sha256=typed(request, "seen_sha256"),
        actor=viewer(request).actor,
        now=now(),
        note=typed(request, "reason"),
        effective_at=when,
    )
    if so_far := not_yet(version_id):
        return so_far
    if when:
        return "The plan is approved. It becomes effective at the time you gave; nothing of it starts before."
    return "The plan is approved: its tasks are created and the first ones start as soon as the rules allow."


def not_yet(version_id: int) -> str:
    """What to say after an approval that was not the last one needed; empty when the version is approved."""
    version = WorkflowVersion.objects.select_related("workflow").get(pk=version_id)
    if version.status == VersionStatus.APPROVED:
        return ""
    return (
        f"Your approval is kept ({sign_offs(version).sentence}); nothing starts before the last one. "
        "The last approver says when it becomes effective and what becomes of steps."
    )


def _settled(version: WorkflowVersion, newest: WorkflowVersion, workstream: Workstream) -> str:
    if workstream.status not in OPEN:
        return f"The workstream is {workstream.status}; its plan no longer changes."
    if version.pk != newest.pk:
        return f"Version {newest.number} is newer; decide on that one."
    if version.status != VersionStatus.IN_REVIEW:
        return f"Version {version.number} is already decided: {version.get_status_display().lower()}."
    return ""
