"""Where the attempts of a plan work on this machine: worktree, branch, and a folder for tools (BX-1)."""

from dataclasses import replace
from pathlib import Path

from django.conf import settings

from orchestrator.adapters.repository import REPOSITORY_NAME
from orchestrator.adapters.worktree import RepositoryMissing, Worktree
from orchestrator.core.plans.lanes import LANES_FOLDER, lane_branch, own_folder
from orchestrator.core.plans.plan import slugify
from orchestrator.core.terms import AttemptStatus, PlaceState
from orchestrator.models import Attempt, WorkPlace, Workstream
from orchestrator.queries.handoff.expected import folder_of

#: Folder of the worktrees in which commits are verified, beside those of the lanes.
VERIFY_FOLDER = ".verify"
#: States in which there is a worktree to work in.
STANDS = [PlaceState.READY.value, PlaceState.CONFLICT.value]


def worktree_of(attempt: Attempt) -> Worktree:
    """The worktree in which an attempt works, or would if it was claimed now. Raises RepositoryMissing."""
    place = WorkPlace.objects.filter(attempt=attempt).first()
    return worktree_in(
        attempt.task.workstream, place.folder if place and place.folder else free_folder(attempt)
    )


def worktree_in(workstream: Workstream, folder: str) -> Worktree:
    """A worktree of a workstream; it need not be there."""
    version = workstream.version
    if not version.repository:
        raise RepositoryMissing(
            "The plan names no repository, so its tools have nothing to work on.",
            recovery="Add `repository: name` to the front matter of the plan and submit it again.",
        )
    if not REPOSITORY_NAME.fullmatch(version.repository):
        raise RepositoryMissing(f"“{version.repository}” is not the name of a repository.")
    return Worktree(
        repository=Path(settings.REPOSITORIES_DIR) / version.repository,
        folder=Path(settings.WORKTREES_DIR) / workstream.slug / LANES_FOLDER / folder,
        branch=lane_branch(workstream.slug, folder),
        base=version.base_branch,
    )


def verification_tree(attempt: Attempt) -> Worktree:
    """Where a commit of the attempt is verified: on no branch, away from where anybody works (BX-9)."""
    place = worktree_in(attempt.task.workstream, folder_of(attempt.task.step))
    name = f"{slugify(attempt.task.step.key)}-{attempt.number}"
    return replace(place, folder=place.folder.parent.parent / VERIFY_FOLDER / name)


def free_folder(attempt: Attempt) -> str:
    """The folder of the attempt's lane; one of its own while another attempt works there, because the plan
    may give several lanes the same worktree."""
    step, slug = attempt.task.step, attempt.task.workstream.slug
    folder = folder_of(step)
    others = WorkPlace.objects.filter(
        branch=lane_branch(slug, folder), state__in=STANDS, attempt__status=AttemptStatus.RUNNING
    )
    return own_folder(folder, step.key) if others.exclude(attempt=attempt).exists() else folder


def state_folder(attempt: Attempt) -> Path:
    """A folder that outlives the attempts of a step."""
    step = attempt.task.step
    folder = Path(settings.WORKTREES_DIR) / attempt.task.workstream.slug / ".state" / slugify(step.key)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
