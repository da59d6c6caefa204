"""Workstreams: the pre-handoff review, acceptance, archiving (FR-003, LC-1, LC-3, LC-10)."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine import explain
from orchestrator.core.engine.together import first_of
from orchestrator.core.errors import AlreadyDecided, NotFinished, Refusal, SuspectsOpen, WrongState
from orchestrator.core.people.roles import APPROVERS, SIGNERS
from orchestrator.core.terms import AttemptStatus, Scope, TaskStatus, VersionStatus, WorkstreamStatus
from orchestrator.models import Attempt, PreHandoffReview, Task, Workstream
from orchestrator.queries.plans.effect import promised_version, undecided_version
from orchestrator.queries.work.duplicates import Suspect, signature_of, undecided
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.decided import by_whom
from orchestrator.services.base.history import record, tells_of
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.progress import touch
from orchestrator.services.base.rows import changed
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.workstreams.needs import wake_needing

#: What takes a workstream out of work; a duplicate that was closed or merged is put away as well.
PUT_AWAY = (Action.WORKSTREAM_ARCHIVED, Action.DUPLICATE_DECIDED)
#: So many undecided suspects are named in a refusal; the list of suspects has all.
SUSPECTS_NAMED = 10


@act(
    roles=SIGNERS,
    scope=Scope.MANAGE,
    reason=why("rationale", "Say what was looked at and why this work is not a duplicate."),
    person="The pre-handoff review is signed by a person.",
    locks=(Lock.WORKSTREAM,),
    records=(Action.PREHANDOFF_SIGNED,),
)
def sign_prehandoff(*, workstream_id: int, rationale: str, actor: Actor, now: datetime) -> PreHandoffReview:
    """Sign that duplicates were looked at, with the rationale; nothing is launched before (FR-003, AS-5).

    SuspectsOpen while one is undecided. One that appears later does not take the signature back.
    """
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if refusal := why_not_sign_prehandoff(
            workstream, actor, signature_of(workstream), undecided(workstream)
        ):
            raise refusal
        review = PreHandoffReview.objects.create(
            workstream=workstream,
            reviewer=actor.account,
            signed_as=actor.label,
            rationale=rationale.strip(),
            signed_at=now,
        )
        touch(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.PREHANDOFF_SIGNED,
            subject=workstream.slug,
            reason=rationale,
            now=now,
        )
        wake(workstream.pk)
    return review


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    locks=(Lock.WORKSTREAM,),
    records=(Action.WORKSTREAM_ACCEPTED,),
)
def accept_workstream(*, workstream_id: int, actor: Actor, now: datetime, note: str = "") -> Workstream:
    """Accept a finished workstream after review: an explicit act, never automatic (LC-1, LC-9)."""
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if refusal := why_not_accept(workstream, actor):
            raise refusal
        workstream.status = WorkstreamStatus.COMPLETED
        workstream.accepted_at, workstream.accepted_by, workstream.accepted_as = (
            now,
            actor.account,
            actor.label,
        )
        touch(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.WORKSTREAM_ACCEPTED,
            subject=workstream.slug,
            reason=note,
            now=now,
            data={"status": workstream.status},
        )
        wake(workstream.pk)
        wake_needing(workstream)
    return workstream


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say which gap was found."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.WORKSTREAM_REOPENED,),
)
def reopen_workstream(*, workstream_id: int, reason: str, actor: Actor, now: datetime) -> Workstream:
    """Take an acceptance back because a gap was found; tasks for it are added as to any active workstream
    (LC-3).

    Who accepted it and when stays in the history. What needs it waits for it again; what was launched goes
    on.
    """
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if refusal := why_not_reopen(workstream, actor):
            raise _why_closed(workstream, refusal)
        workstream.status = WorkstreamStatus.ACTIVE
        workstream.accepted_at, workstream.accepted_by, workstream.accepted_as = None, None, ""
        touch(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.WORKSTREAM_REOPENED,
            subject=workstream.slug,
            reason=reason,
            now=now,
            data={"status": workstream.status},
        )
        wake(workstream.pk)
        wake_needing(workstream)
    return workstream


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why the workstream is archived."),
    locks=(Lock.WORKSTREAM,),
    records=(Action.WORKSTREAM_ARCHIVED,),
)
def archive_workstream(*, workstream_id: int, reason: str, actor: Actor, now: datetime) -> Workstream:
    """Close a workstream without losing its history; nothing is ever deleted (LC-10)."""
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if refusal := why_not_archive(workstream, actor):
            raise by_whom(refusal, "It is archived already", workstream=workstream, actions=PUT_AWAY)
        facts = put_away(workstream, now)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.WORKSTREAM_ARCHIVED,
            subject=workstream.slug,
            reason=reason,
            now=now,
            data=facts,
        )
        wake(workstream.pk)
        wake_needing(workstream)
    return workstream


def why_not_sign_prehandoff(
    workstream: Workstream, actor: Actor, signed: PreHandoffReview | None, suspects: Sequence[Suspect]
) -> Refusal | None:
    """Why this actor may not sign the pre-handoff review; SuspectsOpen names the `suspects`, which nobody
    decided about. `signed` is the review that exists."""
    if signed:
        return AlreadyDecided(
            f"The pre-handoff review was signed already, by {signed.signed_as}.",
            at=signed.signed_at.isoformat(),
        )
    if not workstream.is_open:
        return WrongState(f"{workstream} is {workstream.status}.")
    if refusal := sign_prehandoff.why_not(actor):
        return refusal
    if not suspects:
        return None
    named = [f"{suspect.workstream.title} ({suspect.why})" for suspect in suspects]
    slugs = [suspect.workstream.slug for suspect in suspects]
    return SuspectsOpen(
        f"Suspected duplicates are undecided: {first_of(named, SUSPECTS_NAMED)}.",
        suspects=first_of(slugs, SUSPECTS_NAMED),
        count=len(suspects),
    )


def why_not_accept(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not accept the workstream: it is not finished, or its plan brings more (LC-1)."""
    if workstream.status == WorkstreamStatus.PLANNING:
        if workstream.version.status == VersionStatus.APPROVED:
            return WrongState(
                "Its plan is approved and not in effect yet.",
                recovery="Nothing is done yet; wait for its work.",
            )
        return WrongState("Its plan is not approved yet.", recovery="Decide about the plan first.")
    if workstream.accepted_at is not None and workstream.status == WorkstreamStatus.COMPLETED:
        return AlreadyDecided(
            f"It was accepted already, by {workstream.accepted_as}.", at=workstream.accepted_at.isoformat()
        )
    if workstream.status != WorkstreamStatus.ACTIVE:
        return WrongState(f"It is {workstream.status}.", recovery="Only active workstreams are accepted.")
    if workstream.finished_at is None:
        left = workstream.open_tasks
        open_tasks = f"{left} open task{'' if left == 1 else 's'} left" if left else "it has no finished task"
        return NotFinished(f"It is not finished: {open_tasks}.")
    return _version_under_way(workstream) or accept_workstream.why_not(actor)


def why_not_reopen(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not take the acceptance back."""
    if workstream.status != WorkstreamStatus.COMPLETED:
        return WrongState(
            f"{workstream} is {workstream.status}; only accepted workstreams are re-opened.",
            recovery="Add tasks for gaps to an active workstream; submit a new plan for an archived one.",
        )
    return reopen_workstream.why_not(actor)


def why_not_archive(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not archive the workstream; that nothing runs is seen behind the lock."""
    if workstream.status == WorkstreamStatus.ARCHIVED:
        return WrongState("It is archived already.", recovery="Nothing is left to do.")
    return archive_workstream.why_not(actor)


def _why_closed(workstream: Workstream, refusal: Refusal) -> Refusal:
    """Why there is no acceptance to re-open: names who did so, or who archived the workstream."""
    if workstream.status == WorkstreamStatus.ARCHIVED:
        return by_whom(refusal, "It is archived", workstream=workstream, actions=PUT_AWAY)
    again = [Action.WORKSTREAM_REOPENED]
    return by_whom(refusal, "It is open again already", workstream=workstream, actions=again)


def put_away(workstream: Workstream, now: datetime) -> dict[str, object]:
    """Archive a locked workstream and cancel its queued attempts; what history keeps. WrongState while one
    runs.

    A gate that waits for a signature waits no longer: it stands open like any step that was not done.
    """
    cancelled = _cancel_queued(workstream, now)
    gates = Task.objects.filter(workstream=workstream, status=TaskStatus.REVIEW)
    waiting = list(gates.order_by("pk").values_list("step__key", flat=True))
    gates.update(status=TaskStatus.PENDING, updated_at=now)
    workstream.status = WorkstreamStatus.ARCHIVED
    touch(workstream, now)
    return {"status": workstream.status, "cancelled": cancelled, "gates": waiting}


def _version_under_way(workstream: Workstream) -> WrongState | None:
    """Gaps that were added as a version are open work, although none of its tasks exists yet (LC-3)."""
    if version := undecided_version(workstream):
        return WrongState(
            explain.undecided_version(version.number),
            recovery="Approve it, send it back or withdraw it; then accept what is finished.",
            version=version.number,
        )
    if version := promised_version(workstream):
        return WrongState(
            explain.promised_version(version.number),
            recovery="Wait until it takes effect and its work is done, or withdraw the approval.",
            version=version.number,
        )
    return None


def _cancel_queued(workstream: Workstream, now: datetime) -> list[str]:
    """Answers with the keys of the tasks whose attempt was cancelled."""
    live = Attempt.objects.filter(task__workstream=workstream)
    if running := live.filter(status=AttemptStatus.RUNNING).select_related("task__step").first():
        raise WrongState(
            f"{running} is still running.", recovery="Wait for it to end or declare it failed, then archive."
        )
    queued = live.filter(status=AttemptStatus.QUEUED)
    keys = list(queued.order_by("pk").values_list("task__step__key", flat=True))
    tells_of(Attempt, changed(queued, status=AttemptStatus.CANCELLED, ended_at=now), ended_at=now)
    return keys
