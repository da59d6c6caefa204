"""The branch as a whole: kept under another name, put back to an earlier commit, or written again from the
record.

What happens in the daily run is in `repository.py`; this is for when the branch itself is wrong (F21 to F24).
Everything here needs the workspace's lock.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchestrator.workspace import objects
from orchestrator.workspace.git import GitFailed
from orchestrator.workspace.repository import NO_COMMIT, Workspace, blob_id
from orchestrator.workspace.store import BRANCH

DIVERGED: Final = "refs/diverged/"
#: The name that git gives a tree without entries; it knows this one without storing it.
EMPTY_TREE: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True, slots=True)
class CommitLine:
    """A commit in one line; `at` is git's own text of its time."""

    name: str
    at: str
    subject: str


def keep(space: Workspace, commit: str, at: datetime) -> str:
    """Give a commit a name of its own, so that git never forgets it; answers with the name, ""
    for no commit.
    """
    if not commit:
        return ""
    name = f"{DIVERGED}{at:%Y%m%dT%H%M%SZ}"
    taken = space.git.run("for-each-ref", "--format=%(refname)", DIVERGED).decode().split("\n")
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    space.git.run("update-ref", free, commit, NO_COMMIT)
    return free


def lines_between(space: Workspace, older: str, newer: str, most: int) -> list[CommitLine]:
    """The commits that one has and the other does not, newest first; nothing when git cannot tell."""
    if not newer:
        return []
    words = ["log", f"--max-count={most}", "--format=%H%x00%cI%x00%s", newer]
    try:
        told = space.git.run(*words, *([f"^{older}"] if older else []), "--").decode(errors="replace")
    except GitFailed:
        return []
    return [CommitLine(*line.split("\0", 2)) for line in told.split("\n") if line]


def put_back(space: Workspace, commit: str) -> None:
    """Make work tree and branch hold what a commit holds; "" is nothing at all. The branch moves last: a kill
    before leaves it where it was, and the same call does the rest. Raises GitFailed."""
    head = space.head()
    if head and not space.index.stands_at(head):
        with suppress(GitFailed):  # without it, files that only the newer commits have stay behind
            space.git.run("read-tree", head)
    space.git.run("read-tree", "--reset", "-u", commit or EMPTY_TREE)
    if commit:
        space.git.run("update-ref", "-m", "set back", BRANCH, commit)
    elif head:
        space.git.run("update-ref", "-d", BRANCH)
    space.index.now_at(commit)


def list_again(space: Workspace) -> None:
    """Have git's index list what the branch holds; no file changes. Raises GitFailed."""
    head = space.head()
    space.git.run("read-tree", head or "--empty")
    if head:
        space.index.now_at(head)


def write_again(
    space: Workspace, parts: Iterable[Mapping[str, bytes]], message: str, at: datetime, *, above: str
) -> str:
    """One commit above another (or above none, when it is "") that holds all of these files; the work tree
    holds them too. A later part may replace a file of an earlier one. The branch moves once, at the end."""
    space.git.run("read-tree", *([above] if above else ["--empty"]))
    for part in parts:
        space.add_to_index(part)
    tree = space.git.line("write-tree")
    parent = ["-p", above] if above else []
    commit = space.git.line("commit-tree", tree, *parent, "-F", "-", send=message.encode(), at=at)
    space.intend(commit)
    space.git.run("update-ref", "-m", "written again", BRANCH, commit)
    space.index.now_at(commit)
    space.git.run("checkout-index", "--all", "--force", "--quiet")
    return commit


def reachable(space: Workspace, commit: str) -> frozenset[str]:
    """Every commit that a branch at this commit holds."""
    return frozenset(space.git.line("rev-list", commit, "--").split("\n"))


def listed(space: Workspace) -> list[tuple[str, str]]:
    """(path, blob) of every file in git's index whose blob git has lost."""
    try:
        told = space.git.run("ls-files", "-s", "-z").split(b"\0")
    except GitFailed:
        return []
    rows = [line.partition(b"\t") for line in told if line]
    named = [(path.decode(errors="surrogateescape"), meta.split(b" ")[1].decode()) for meta, _, path in rows]
    lost = _lost(space, {name for _, name in named})
    return [(path, name) for path, name in named if name in lost]


def give_back(space: Workspace, contents: Iterable[bytes], only: str = "") -> None:
    """Store the blobs that git has lost, or the `only` one of that name."""
    by_name = {blob_id(content): content for content in contents}
    for name in _lost(space, by_name):
        if not only or name == only:
            objects.replace(space.root / ".git" / "objects", name, by_name[name])


def write_folders(space: Workspace) -> None:
    """Store every folder that the index names. It is entered anew, because git trusts what it remembers of
    folders.
    """
    entries = space.git.run("ls-files", "-s", "-z")
    space.git.run("read-tree", "--empty")
    space.git.run("update-index", "-z", "--index-info", send=entries)
    space.git.run("write-tree", "--missing-ok")


def is_whole(space: Workspace, commit: str) -> bool:
    """Whether git has everything that a commit and those before it name."""
    try:
        space.git.run("fsck", "--connectivity-only", "--no-dangling", "--no-reflogs", "--no-progress", commit)
    except GitFailed:
        return False
    return True


def _lost(space: Workspace, names: Iterable[str]) -> set[str]:
    asked = sorted(names)
    if not asked:
        return set()
    told = space.git.run("cat-file", "--batch-check", send="".join(f"{name}\n" for name in asked).encode())
    return {line.split(" ")[0] for line in told.decode().split("\n") if line.endswith(" missing")}
