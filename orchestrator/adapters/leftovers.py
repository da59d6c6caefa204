"""Branches `ws/…` of the repositories that plans work on, and the folders of their worktrees: what is there,
and how what belongs to nobody is taken away without losing it (LC-12).
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from orchestrator.adapters.repository import RepositoryFailed, git, locked
from orchestrator.core.plans.lanes import LANES_FOLDER

PREFIX: Final = "refs/heads/ws/"
#: Folder, beside the worktrees, of those that were taken away.
KEPT: Final = ".kept"


class Leftover(NamedTuple):
    """A branch or worktree: the slug of a workstream and the folder's name that it carries, and where."""

    slug: str
    folder: str
    place: str


def repositories(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if (path / ".git").is_dir() and not path.is_symlink())


def branches(repository: Path) -> list[Leftover]:
    """Every branch `ws/<workstream>/<folder>`. Raises RepositoryFailed."""
    told = git(repository, "for-each-ref", "--format=%(refname)", PREFIX)
    names = [line.removeprefix(PREFIX).partition("/") for line in told.splitlines()]
    return [Leftover(slug, folder, repository.name) for slug, _, folder in names]


def worktrees(folder: Path) -> list[Leftover]:
    """Every folder `<workstream>/.worktrees/<lane>`; other hidden ones are the orchestrator's own."""
    return [
        Leftover(workstream.name, lane.name, "")
        for workstream in _folders(folder)
        for lane in _folders(workstream / LANES_FOLDER)
    ]


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and path.name[0] != "."
    )


def keep_branch(repository: Path, name: str, at: datetime) -> str:
    """Give the commits of a branch a name under `refs/kept/`, then delete it; the name. Raises
    RepositoryFailed, for example when the branch is checked out somewhere."""
    kept = f"refs/kept/{at:%Y%m%dT%H%M%SZ}/{name}"
    with locked(repository / ".git" / "orchestrator.lock"):
        git(repository, "worktree", "prune")
        commit = git(repository, "rev-parse", "--verify", f"refs/heads/{name}^{{commit}}").strip()
        git(repository, "update-ref", kept, commit)
        git(repository, "branch", "--quiet", "-D", "--", name)
    return kept


def keep_worktree(folder: Path, name: str, at: datetime) -> str:
    """Move the folder of the worktree `<workstream>/<lane>` with all that it holds; where it is now, relative
    to the worktrees."""
    workstream, _, lane = name.partition("/")
    target = folder / KEPT / f"{at:%Y%m%dT%H%M%SZ}" / name
    number, free = 1, target
    while os.path.lexists(free):
        number += 1
        free = target.with_name(f"{target.name}.{number}")
    try:
        free.parent.mkdir(parents=True, exist_ok=True)
        os.rename(folder / workstream / LANES_FOLDER / lane, free)
    except OSError as problem:
        raise RepositoryFailed(f"The worktree {name} could not be moved: {problem.strerror}.") from problem
    return str(free.relative_to(folder))
