"""What an attempt left in its worktree, kept under a ref before the worktree is made anew or taken away
(BX-1): commits that nothing else has, and whatever was not committed.

What the repository ignores (`.gitignore`) is no work and goes. `git stash` is not used: worktrees share it.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from orchestrator.adapters.commits import branch_head
from orchestrator.adapters.repository import RepositoryFailed, git
from orchestrator.adapters.worktree import Worktree

PREFIX: Final = "refs/kept/"
#: Folder, beside the worktrees of a workstream, of those that git could not read.
ASIDE: Final = ".kept"
#: Mode of an entry that stands for another repository: its contents are no part of the commit.
_FOREIGN: Final = "160000"


def keep_leftovers(tree: Worktree, name: str, known: Sequence[str]) -> str:
    """Keep what stands in the worktree and on its branch under `refs/kept/<name>-…`; the refs, and the folder
    where it was moved to, or nothing when all of it is in the `known` commits. Within `tree.alone()`."""
    kept = [branch_head(tree.repository, tree.branch)]
    aside = ""
    if tree.folder.exists():
        try:
            kept.append(_kept_commit(tree, name))
        except RepositoryFailed:
            aside = _move_aside(tree)
    news = [commit for commit in dict.fromkeys(kept) if commit and commit not in known]
    if len(news) > 1 and _is_in(tree.repository, news[0], news[1]):
        news = news[1:]
    told = [_keep_commit(tree.repository, name, commit) for commit in news]
    return ", ".join([*told, *([aside] if aside else [])])


def _keep_commit(repository: Path, name: str, commit: str) -> str:
    """Give a known commit a name under `refs/kept/`; the name."""
    ref = f"{PREFIX}{name}-{commit[:12]}"
    git(repository, "update-ref", "--", ref, commit)
    return ref


def _is_in(repository: Path, earlier: str, later: str) -> bool:
    try:
        git(repository, "merge-base", "--is-ancestor", "--end-of-options", earlier, later)
    except RepositoryFailed:
        return False
    return True


def take_away(tree: Worktree, name: str, known: Sequence[str]) -> str:
    """Keep what stands in the worktree, then remove it with its branch; where it is kept. Within
    `tree.alone()`."""
    kept = keep_leftovers(tree, name, known)
    with contextlib.suppress(RepositoryFailed):
        git(tree.repository, "worktree", "remove", "--force", "--force", "--", str(tree.folder))
    if tree.folder.exists():
        kept = kept or _move_aside(tree)
    git(tree.repository, "worktree", "prune")
    with contextlib.suppress(RepositoryFailed):
        git(tree.repository, "branch", "--quiet", "-D", "--", tree.branch)
    return kept


def _kept_commit(tree: Worktree, name: str) -> str:
    """The head, or a commit above it with everything that was not committed."""
    if not tree.is_usable():
        raise RepositoryFailed("Its link to the repository is not what git wrote.")
    head, merging = tree.head(), tree.merging()
    if not merging and not tree.git("status", "--porcelain", "--untracked-files=all"):
        return head
    tree.git("add", "--all")
    changed = tree.git("diff", "--cached", "--raw", "--no-renames", "HEAD", "--")
    if any(line.split(" ")[1] == _FOREIGN for line in changed.split("\n") if line.startswith(":")):
        raise RepositoryFailed("There is another repository in it.")
    whole = tree.git("write-tree").strip()
    parents = [word for parent in (head, merging) if parent for word in ("-p", parent)]
    return tree.git("commit-tree", *parents, "-m", f"What {name} left uncommitted", whole).strip()


def _move_aside(tree: Worktree) -> str:
    """Git cannot say what is in it: the folder itself is kept."""
    if not any(entry != ".git" for entry in os.listdir(tree.folder)):
        return ""
    number, target = 1, tree.folder.parent / ASIDE / tree.folder.name
    while os.path.lexists(target):
        number += 1
        target = tree.folder.parent / ASIDE / f"{tree.folder.name}.{number}"
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(tree.folder, target)
    return str(target)
