"""Compared: what the base branch says of a named commit, and of work that is said to be reverted (FR-010)."""

from collections.abc import Sequence
from typing import Final

from orchestrator.adapters.base_branch import BaseBranch
from orchestrator.core.errors import InvalidInput, WrongState
from orchestrator.models import BaselineIntegration, Workstream
from orchestrator.queries.work.baseline import base_branch_of, work_commits
from orchestrator.services.handoff.commits import commit_word

NOT_HERE: Final = "The plan's repository is not here, so nothing was compared with it."


def known_commit(branch: BaseBranch | None, commit: str) -> str:
    """The full id of a named commit, which has to be part of the branch where there is one to ask."""
    commit = commit_word(commit)
    if branch is None:
        return commit
    full = branch.find(commit)
    if not full:
        raise InvalidInput(f"The repository has no commit {commit}.", field="commit")
    if not branch.holds(full):
        raise InvalidInput(
            f"{commit} is not part of {branch.name}.",
            recovery=f"Name a commit of {branch.name}, or merge this one first.",
            field="commit",
        )
    return full


def restored(workstream: Workstream, current: BaselineIntegration, commit: str) -> tuple[str, str]:
    """The full id of the revert commit, and what was compared to see that the work is reverted."""
    branch = base_branch_of(workstream)
    full = known_commit(branch, commit) if commit else ""
    if branch is None:
        return full, NOT_HERE
    work = _work_of(workstream, current, branch)
    if full:
        _refuse_older(branch, full, work)
        return (
            full,
            f"{full[:12]} is part of {branch.name} and came after the work; their contents were "
            f"not compared.",
        )
    if not work:
        return "", f"No commit of the work is known, so nothing was compared with {branch.name}."
    if any(branch.holds(one) for one in work):
        raise WrongState(
            f"{branch.name} still holds the integrated work.",
            recovery=f"Revert the merge on {branch.name}, then name the revert commit here.",
        )
    return "", f"{branch.name} no longer holds any commit of the work ({len(work)})."


def _work_of(workstream: Workstream, current: BaselineIntegration, branch: BaseBranch) -> tuple[str, ...]:
    """The commits that were integrated: of the results, or else the one that the integration named."""
    named = branch.find(current.commit) if current.commit else ""
    return work_commits(workstream, branch).known or ((named,) if named else ())


def _refuse_older(branch: BaseBranch, commit: str, work: Sequence[str]) -> None:
    held = [one for one in work if branch.holds(one)]
    if commit in work or any(not branch.follows(commit, one) for one in held):
        raise InvalidInput(
            f"{commit[:12]} did not come after the integrated work, so it cannot take it back.",
            recovery="Name the commit that reverts the merge.",
            field="commit",
        )
