"""Merging completed work into the base branch, as far as the operator allows it (FR-010, BX-3).

Off unless `INTEGRATION` says `merge` or names a program, such as one that opens a pull request. The boundary
follows from what the repository holds afterwards (`services/handoff/baseline.py`).
"""

from datetime import datetime
from typing import Final

from django.conf import settings

from orchestrator.adapters.commits import branch_head
from orchestrator.adapters.integrating import move_base, run_program
from orchestrator.adapters.repository import RepositoryFailed, git
from orchestrator.contract.places import MergePreview
from orchestrator.core.actions import Action
from orchestrator.core.errors import NotFound, Refusal, WrongState
from orchestrator.core.people.roles import SIGNERS
from orchestrator.core.terms import Scope
from orchestrator.models import Workstream
from orchestrator.queries.gates.integration import MERGE, OFF, merge_preview
from orchestrator.queries.handoff.worktrees import worktree_in
from orchestrator.queries.work.baseline import integration_in_force
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.steps import made
from orchestrator.services.handoff import baseline
from orchestrator.services.handoff.compared import NOT_HERE

#: The branch that the operator's program finds the merge on.
_FOR_THE_PROGRAM: Final = "integration/"


@act(
    roles=SIGNERS,
    scope=Scope.MANAGE,
    person="The base branch is changed by a person.",
    locks=(Lock.WORKSTREAM,),
    records=(Action.BASELINE_INTEGRATED,),
    in_steps=True,
)
def merge_work(*, workstream_id: int, seen: str, actor: Actor, now: datetime) -> str:
    """Merge the completed work into the base branch, or have the operator's program do what it does; what
    happened, in a sentence. `seen` is the seal of the merge that was shown: another one is refused. Raises
    WrongState, RepositoryFailed."""
    workstream = Workstream.objects.select_related("version").filter(pk=workstream_id).first()
    if workstream is None:
        raise NotFound("There is no such workstream.")
    if made("integrated"):
        return "The merge is done, and the integration is recorded."
    if refusal := why_not_merge(workstream, actor):
        raise refusal
    with worktree_in(workstream, "").alone():
        merge = _wanted(workstream, seen, now)
        said = _merged(workstream, merge) if settings.INTEGRATION == MERGE else _told(workstream, merge)
    try:
        if settings.INTEGRATION == MERGE:
            baseline.moved(workstream, merge.into, merge.commit, actor=actor, now=now)
        else:
            baseline.look(workstream_id=workstream_id, actor=actor, now=now)
    except WrongState as refusal:
        return f"{said} {refusal.message}"
    return f"{said} The integration is recorded: from now on rework needs a revert decision first."


def why_not_merge(workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor merges nothing from here; None when they may."""
    if refusal := merge_work.why_not(actor):
        return refusal
    if settings.INTEGRATION == OFF:
        return WrongState(
            "Merging from here is switched off.",
            recovery="Merge in the repository, where it is found; or ask the operator to set INTEGRATION.",
        )
    if refusal := baseline.why_nothing_to_integrate(workstream):
        return refusal
    if integration_in_force(workstream):
        return WrongState(f"{workstream} is integrated already.")
    return None


def _wanted(workstream: Workstream, seen: str, now: datetime) -> MergePreview:
    merge = merge_preview(workstream, at=int(now.timestamp()))
    if merge is None:
        raise WrongState(NOT_HERE)
    if merge.clashes or not merge.commit:
        raise WrongState(merge.said, recovery="Add a step that brings the work together, and do it.")
    if not merge.steps:
        raise WrongState(merge.said)
    if merge.seal != seen:
        raise WrongState(
            "Work or base branch have changed since the merge was shown.",
            recovery="Look at what would be merged now, then merge.",
        )
    return merge


def _merged(workstream: Workstream, merge: MergePreview) -> str:
    repository = worktree_in(workstream, "").repository
    move_base(repository, merge.into, merge.base, merge.commit)
    return f"{merge.into} stands at {merge.commit[:12]}, with the work in it."


def _told(workstream: Workstream, merge: MergePreview) -> str:
    """The program finds the merge on a branch of its own."""
    repository = worktree_in(workstream, "").repository
    branch = f"{_FOR_THE_PROGRAM}{workstream.slug}"
    git(repository, "update-ref", "--", f"refs/heads/{branch}", merge.commit)
    facts = {
        "REPOSITORY": str(repository),
        "BASE_BRANCH": merge.into,
        "BASE_COMMIT": branch_head(repository, merge.into),
        "MERGE_BRANCH": branch,
        "MERGE_COMMIT": merge.commit,
        "WORKSTREAM": workstream.slug,
        "WORKSTREAM_TITLE": workstream.title,
    }
    done, said = run_program(settings.INTEGRATION, repository, facts)
    if not done:
        raise RepositoryFailed(
            f"The operator's program did not do it: {said}",
            recovery="Read what it said, put that right, then merge again.",
        )
    return f"The operator's program did it{f': {said}' if said else ''}."
