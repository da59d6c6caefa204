"""Baseline integration: the boundary behind which work is done again only after a revert decision.

Requirements: FR-010.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.core.cache import caches
from django.db.models import OuterRef, QuerySet, Subquery

from orchestrator.adapters.base_branch import BaseBranch
from orchestrator.core.actions import Action
from orchestrator.core.errors import BaselineIntegrated, InvalidInput, NotFound, Refusal, WrongState
from orchestrator.core.people.roles import SIGNERS, WORKERS
from orchestrator.core.terms import AttemptStatus, EventType, IntegrationSource, Scope, WorkstreamStatus
from orchestrator.models import Attempt, BaselineIntegration, Workstream
from orchestrator.queries.work.baseline import WorkCommits, base_branch_of, integration_in_force, work_commits
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.decided import by_whom
from orchestrator.services.base.history import record, tells_of
from orchestrator.services.base.locks import Lock, locked_workstream
from orchestrator.services.base.progress import touch
from orchestrator.services.base.steps import made, once
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.artifacts import announce
from orchestrator.services.handoff.compared import NOT_HERE, known_commit, restored

logger = logging.getLogger(__name__)

#: States in which there may be something to integrate; after acceptance too, because many teams merge then.
OPEN_TO_INTEGRATION = (WorkstreamStatus.ACTIVE, WorkstreamStatus.COMPLETED)
#: The sweep looks at accepted workstreams only this long after their last change.
LOOKED_FOR = timedelta(days=30)


@act(
    roles=WORKERS,
    scope=Scope.MANAGE,
    locks=(Lock.WORKSTREAM,),
    records=(Action.BASELINE_INTEGRATED,),
    in_steps=True,
)
def integrate(
    *,
    workstream_id: int,
    source: IntegrationSource,
    actor: Actor,
    now: datetime,
    commit: str = "",
    note: str = "",
) -> BaselineIntegration:
    """Record that a workstream's work became part of its base branch; from now on it is not provisional any
    more.

    Allowed as soon as one task is complete, because work may be merged piece by piece: the boundary then
    holds for all of the workstream. `commit` is where it stands on the base branch; where the repository is
    at hand it has to be part of that branch. Raises WrongState when an integration is in force already,
    InvalidInput for the commit, and where neither a commit nor a note says how it got there although the
    repository is at hand.
    """
    if earlier := made("integrated"):
        return BaselineIntegration.objects.get(pk=earlier)
    workstream = _found(workstream_id)
    branch = base_branch_of(workstream)
    if branch is not None and not commit and not note.strip():
        raise InvalidInput(
            f"Nothing says where the work stands on {branch.name}.",
            recovery="Name the commit there; for work that was squashed or is elsewhere, say so in the note.",
            field="commit",
        )
    full = known_commit(branch, commit) if commit else ""
    if branch is None:
        checked = NOT_HERE
    elif full:
        checked = f"{full[:12]} is part of {branch.name}."
    else:
        checked = f"No commit was named, so nothing was compared with {branch.name}."
    row = once("integrated", lambda: _integrate(workstream_id, source, actor, now, full, note, checked))
    return BaselineIntegration.objects.get(pk=row)


@act(
    roles=WORKERS,
    scope=Scope.MANAGE,
    locks=(Lock.WORKSTREAM,),
    records=(Action.BASELINE_INTEGRATED,),
    in_steps=True,
)
def look(*, workstream_id: int, actor: Actor, now: datetime) -> BaselineIntegration:
    """Look into the repository, and record the integration when the base branch holds all of the work.

    Work that was squashed or picked has other commits there and is not found; a person records it. Raises
    WrongState with what is missing.
    """
    if earlier := made("integrated"):
        return BaselineIntegration.objects.get(pk=earlier)
    workstream = _found(workstream_id)
    if (branch := base_branch_of(workstream)) is None:
        raise WrongState(
            NOT_HERE, recovery="Record the integration by hand, with the commit if there is one."
        )
    work = work_commits(workstream, branch)
    if work.unknown:
        raise WrongState(
            f"The repository does not know the commit {work.unknown[0][:12]}, which a completed "
            f"attempt reported.",
            recovery="Fetch it into the repository and look again, or record the integration by hand.",
        )
    if not work.known:
        raise WrongState(
            "No result in force has a commit of its own, so there is nothing to look for.",
            recovery="Record the integration by hand, or look again when work is complete.",
        )
    if not branch.holds_all(work.known):
        raise WrongState(
            f"{branch.name} does not hold all of the work yet.",
            recovery=f"Merge it into {branch.name}, then look again. What was squashed is recorded by hand.",
        )
    return _found_in(workstream, branch, work, actor, now)


def moved(
    workstream: Workstream, branch: str, commit: str, *, actor: Actor, now: datetime
) -> BaselineIntegration:
    """Record that the branch was moved to `commit`, a merge of all the work, by this server; whatever was
    integrated and reverted before. Raises WrongState when an integration is in force already."""
    checked = f"{branch} was moved to {commit[:12]}, which merges the work."
    source, note = IntegrationSource.REPOSITORY, "Merged from here."
    row = once("integrated", lambda: _integrate(workstream.pk, source, actor, now, commit, note, checked))
    return BaselineIntegration.objects.get(pk=row)


def look_everywhere(*, now: datetime) -> int:
    """What the sweep runs: record every integration that stands in a repository; how many were found.

    A workstream is looked at when its base branch or its results changed since the last look. Trouble with
    one repository does not hold up the others.
    """
    found = 0
    heads: dict[tuple[str, str], str] = {}
    for workstream in _to_look_at(now):
        place = workstream.version.repository, workstream.version.base_branch
        try:
            if place not in heads:
                branch = base_branch_of(workstream)
                heads[place] = branch.head() if branch else ""
            if heads[place] and _is_news(workstream, heads[place]):
                found += _look_quietly(workstream, now)
        except Refusal as refusal:
            logger.warning("%s: the repository was not compared: %s", workstream.slug, refusal.message)
        except Exception:
            logger.exception("%s: the repository was not compared.", workstream.slug)
    return found


def _to_look_at(now: datetime) -> QuerySet[Workstream]:
    """Workstreams with a repository and a result, of which no integration is in force."""
    in_force = BaselineIntegration.objects.filter(reverted_at=None)
    lately = Workstream.objects.filter(status=WorkstreamStatus.COMPLETED, updated_at__gte=now - LOOKED_FOR)
    open_ones = Workstream.objects.filter(status=WorkstreamStatus.ACTIVE) | lately
    results = Attempt.objects.filter(task__workstream=OuterRef("pk"), status=AttemptStatus.COMPLETED).exclude(
        commit=""
    )
    last = results.order_by("-ended_at", "-pk").values("pk")[:1]
    waiting = open_ones.exclude(version__repository="").exclude(integrations__in=in_force)
    return waiting.annotate(last=Subquery(last)).exclude(last=None).select_related("version").order_by("pk")


def _is_news(workstream: Workstream, head: str) -> bool:
    """Whether the last look saw another base branch or other results.

    What the cache forgets is looked at again.
    """
    key = f"orchestrator.baseline.{workstream.uuid}"
    state = f"{head} {workstream.last}"  # type: ignore[attr-defined]
    looked = caches["workstreams"]
    if looked.get(key) == state:
        return False
    looked.set(key, state, LOOKED_FOR.total_seconds())
    return True


@act(
    roles=SIGNERS,
    scope=Scope.MANAGE,
    reason=why("reason", "A revert is decided with a reason."),
    person="A revert is decided by a person.",
    locks=(Lock.WORKSTREAM,),
    records=(Action.BASELINE_REVERTED,),
    in_steps=True,
)
def revert(
    *, workstream_id: int, reason: str, actor: Actor, now: datetime, commit: str = ""
) -> BaselineIntegration:
    """Decide that integrated work is reverted; afterwards it may be sent back and done again (FR-010).

    Only a person decides. Where the repository is at hand the state before the integration has to be restored
    first: either the base branch no longer holds the work, or `commit` names a commit on it that came after
    the integration. What was compared is recorded. Raises MissingReason, WrongState while the branch still
    holds the work, InvalidInput.
    """
    workstream = _found(workstream_id)
    current = integration_in_force(workstream)
    if earlier := made("reverted"):
        return BaselineIntegration.objects.get(pk=earlier)
    if current is None:
        raise _reverted_already(workstream)
    full, checked = restored(workstream, current, commit)
    once("reverted", lambda: _revert(current, reason, full, checked, actor, now))
    current.refresh_from_db()
    return current


def _reverted_already(workstream: Workstream) -> Refusal:
    """Nothing is there to be reverted; names who decided the last revert, if there was one."""
    refusal = WrongState(f"No integration of {workstream} is in force, so there is nothing to revert.")
    said, actions = "The revert was decided already", [Action.BASELINE_REVERTED]
    return by_whom(refusal, said, workstream=workstream, actions=actions)


def _revert(
    current: BaselineIntegration, reason: str, full: str, checked: str, actor: Actor, now: datetime
) -> int:
    with unit_of_work():
        workstream = locked_workstream(current.workstream_id)
        decided = {
            "reverted_by_id": actor.account.pk,
            "reverted_as": actor.label,
            "reverted_at": now,
            "revert_reason": reason,
            "revert_commit": full,
        }
        if BaselineIntegration.objects.filter(pk=current.pk, reverted_at=None).update(**decided) != 1:
            raise _reverted_already(workstream)
        tells_of(BaselineIntegration, [current.pk], **decided)
        said = f"{reason} {checked}"
        _announce(
            workstream, EventType.BASELINE_REVERTED, actor, said, "Send back what has to be done again.", now
        )
        data = {"integration": current.pk, "commit": full, "checked": checked}
        _record(workstream, Action.BASELINE_REVERTED, actor, full, reason, data, now)
    return current.pk


def why_not_integrate(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not record that the work became part of the base branch."""
    return why_nothing_to_integrate(workstream) or integrate.why_not(actor)


def why_not_look(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not have the repository compared with the work."""
    return why_nothing_to_integrate(workstream) or look.why_not(actor)


def why_nothing_to_integrate(workstream: Workstream) -> Refusal | None:
    """Why nothing of a workstream is integrated, whoever asks: it has not begun, is archived, or has no
    complete task."""
    if workstream.status not in OPEN_TO_INTEGRATION:
        return WrongState(
            f"{workstream} is {workstream.status}; nothing of it is integrated.",
            recovery="Only the work of an active or a completed workstream is integrated.",
        )
    if not workstream.done_tasks:
        return WrongState(
            "No task is complete, so there is nothing to integrate.", recovery="Complete a task first."
        )
    return None


def refuse_integrated(workstream: Workstream) -> None:
    """BaselineIntegrated while an integration is in force: complete work is not done again behind it."""
    if refusal := why_integrated(workstream):
        raise refusal


def why_integrated(workstream: Workstream) -> BaselineIntegrated | None:
    """Why complete work is not done again: an integration is in force; None without one."""
    current = integration_in_force(workstream)
    if current is None:
        return None
    return BaselineIntegrated(
        f"The work of {workstream} is part of the base branch since "
        f"{current.integrated_at:%Y-%m-%d %H:%M} UTC.",
        commit=current.commit,
    )


def _found(workstream_id: int) -> Workstream:
    workstream = Workstream.objects.select_related("version").filter(pk=workstream_id).first()
    if workstream is None:
        raise NotFound("There is no such workstream.")
    return workstream


def _look_quietly(workstream: Workstream, now: datetime) -> bool:
    branch = base_branch_of(workstream)
    work = work_commits(workstream, branch) if branch else None
    if branch is None or work is None or work.unknown or not work.known or not branch.holds_all(work.known):
        return False
    try:
        _found_in(workstream, branch, work, ORCHESTRATOR, now)
    except WrongState:
        return False
    return True


def _found_in(
    workstream: Workstream, branch: BaseBranch, work: WorkCommits, actor: Actor, now: datetime
) -> BaselineIntegration:
    checked = f"{branch.name} holds every commit of the work ({len(work.known)})."
    source, head, note = IntegrationSource.REPOSITORY, branch.head(), f"Found in {branch.repository.name}."
    row = once("integrated", lambda: _integrate(workstream.pk, source, actor, now, head, note, checked))
    return BaselineIntegration.objects.get(pk=row)


def _integrate(
    workstream_id: int,
    source: IntegrationSource,
    actor: Actor,
    now: datetime,
    commit: str,
    note: str,
    checked: str,
) -> int:
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        if refusal := why_nothing_to_integrate(workstream):
            raise refusal
        if integration_in_force(workstream):
            said, actions = f"{workstream} is integrated already", [Action.BASELINE_INTEGRATED]
            raise by_whom(WrongState(f"{said}."), said, workstream=workstream, actions=actions)
        row = BaselineIntegration.objects.create(
            workstream=workstream,
            source=source,
            commit=commit,
            note=note,
            integrated_by=actor.label,
            integrated_at=now,
        )
        said = note or "The work is part of the base branch."
        _announce(
            workstream,
            EventType.BASELINE_INTEGRATION,
            actor,
            f"{said} {checked}",
            "Go on; rework needs a revert decision first.",
            now,
        )
        data = {"integration": row.pk, "source": source.value, "commit": commit, "checked": checked}
        _record(workstream, Action.BASELINE_INTEGRATED, actor, commit, note, data, now)
    return row.pk


def _announce(
    workstream: Workstream, event: EventType, actor: Actor, outcome: str, next_action: str, now: datetime
) -> None:
    """Baseline events belong to the workstream; the artifact names its last completed attempt (FR-014)."""
    completed = Attempt.objects.filter(task__workstream=workstream, status=AttemptStatus.COMPLETED)
    attempt = completed.select_related("task__step").order_by("-ended_at", "-pk").first()
    if attempt is None:
        raise WrongState("No task is complete, so there is nothing to integrate.")
    attempt.task.workstream = workstream
    announce(attempt=attempt, event=event, actor=actor, outcome=outcome, next_action=next_action, now=now)


def _record(
    workstream: Workstream,
    action: Action,
    actor: Actor,
    commit: str,
    reason: str,
    data: Mapping[str, object],
    now: datetime,
) -> None:
    subject = f"at {commit[:12]}" if commit else "no commit named"
    record(
        workstream=workstream, actor=actor, action=action, subject=subject, reason=reason, now=now, data=data
    )
    touch(workstream, now)
    wake(workstream.pk)
