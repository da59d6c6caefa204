"""Where an attempt works: the worktree, branch and folders of its worktree (BX-1)."""

from pathlib import Path

from django.conf import settings

from orchestrator.adapters.repository import REPOSITORY_NAME
from orchestrator.adapters.worktree import RepositoryMissing, Worktree
from orchestrator.core.plans.lanes import lane_branch
from orchestrator.core.plans.plan import slugify
from orchestrator.models import Attempt
from orchestrator.queries.handoff.expected import folder_of


def worktree_of(attempt: Attempt) -> Worktree:
    """The thread's worktree.

    A parallel step has one of its own, because its neighbours run at the same time.
    """
    task, step = attempt.task, attempt.task.step
    version, slug = step.version, task.workstream.slug
    if not version.repository:
        raise RepositoryMissing(
            "The plan names no repository, so its tools have nothing to work on.",
            recovery="Add `repository: name` to the front matter of the plan and submit it again.",
        )
    if not REPOSITORY_NAME.fullmatch(version.repository):
        raise RepositoryMissing(f"“{version.repository}” is not the name of a repository.")
    folder = folder_of(step)
    return Worktree(
        repository=Path(settings.REPOSITORIES_DIR) / version.repository,
        folder=Path(settings.WORKTREES_DIR) / slug / folder,
        branch=lane_branch(slug, folder),
        base=version.base_branch,
    )


def state_folder(attempt: Attempt) -> Path:
    """A folder that outlives the attempts of a step."""
    step = attempt.task.step
    folder = Path(settings.WORKTREES_DIR) / attempt.task.workstream.slug / ".state" / slugify(step.key)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
