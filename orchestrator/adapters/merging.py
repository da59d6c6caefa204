"""The work of completed steps brought together in a worktree, and where it does not fit (BX-1, BX-3).

A merge that conflicts is left as git left it, with its marks in the files: whoever holds the step resolves
it there, and what was not merged yet follows.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.adapters.repository import RepositoryFailed, shown
from orchestrator.adapters.worktree import Worktree
from orchestrator.core.errors import Refusal

#: Lines that git writes around what does not fit.
MARKS: Final = "^(<<<<<<<|>>>>>>>)( |$)"


class MergeConflict(Refusal):
    """The work before the step does not fit together yet, so that the step cannot be completed."""

    code, status = "merge-conflict", 409
    recovery = (
        "Resolve the named files in the worktree, where the merge stands open, and `git add` or `git rm` "
        "each; then take the place again and complete. On another machine merge the named commits, push the "
        "merge commit and complete with it."
    )


@dataclass(frozen=True, slots=True)
class Clash:
    """A file of a merge that conflicts. `ours` and `theirs` are git's names of both contents, empty where
    that side has none; `binary` says that the file has no lines to merge."""

    path: str
    base: str
    ours: str
    theirs: str
    binary: bool = False


@dataclass(frozen=True, slots=True)
class MergeState:
    """How far a worktree is: its `commit`, and in a conflict the commit that is being `merged` and what
    clashes."""

    commit: str
    merging: str = ""
    clashes: tuple[Clash, ...] = ()


def bring_together(tree: Worktree, commits: Sequence[str]) -> MergeState:
    """Merge the commits that the worktree does not have yet, in their order, up to the first conflict. Within
    `tree.alone()`. Raises `RepositoryFailed`."""
    for commit in _missing(tree, commits):
        if clashes := _merge(tree, commit):
            return MergeState(tree.head(), commit, clashes)
    return MergeState(tree.head())


def go_on(tree: Worktree, commits: Sequence[str], merging: str, clashed: Sequence[str]) -> MergeState:
    """Finish the merge of `merging` where its conflicts were resolved, then merge the rest. Where something
    is left to resolve, nothing changes. `clashed` are the paths that did not fit. Within `tree.alone()`."""
    stands_open = tree.merging()
    if clashes := _unresolved(tree, "--cached" if stands_open else "HEAD", clashed):
        return MergeState(tree.head(), merging, clashes)
    if stands_open:
        tree.git("commit", "--quiet", "--no-edit")
    return bring_together(tree, commits)


def _unresolved(tree: Worktree, where: str, clashed: Sequence[str]) -> tuple[Clash, ...]:
    """What is left to resolve: what git calls unmerged, and files that were taken with the marks in them."""
    if clashes := _clashes(tree):
        return clashes
    return tuple(Clash(path, "", "", "") for path in marked(tree, where, clashed))


def marked(tree: Worktree, where: str, paths: Sequence[str]) -> list[str]:
    """Those of the files that hold marks of a conflict, in the index (`--cached`) or in a commit."""
    if not paths:
        return []
    try:
        told = tree.git("grep", "-l", "-z", "-E", "-e", MARKS, where, "--", *paths)
    except RepositoryFailed as problem:
        if problem.details.get("exit_code") == 1:  # there are none
            return []
        raise
    prefix = "" if where == "--cached" else f"{where}:"
    return [name.removeprefix(prefix) for name in told.split("\0") if name]


def contains_all(tree: Worktree, commit: str, commits: Sequence[str]) -> bool:
    """Whether a known commit was built on all of these known ones."""
    asked = "\n".join([*commits, f"^{commit}", ""])
    return not tree.git("rev-list", "--max-count=1", "--stdin", send=asked).strip()


def _missing(tree: Worktree, commits: Sequence[str]) -> list[str]:
    """Those that neither the worktree nor another one of them contains, in the order given."""
    if not commits:
        return []
    head = tree.head()
    needed = set(tree.git("merge-base", "--independent", head, *commits).split()) - {head}
    return [commit for commit in dict.fromkeys(commits) if commit in needed]


def _merge(tree: Worktree, commit: str) -> tuple[Clash, ...]:
    """Merge a known commit; what clashes, in the middle of the merge."""
    try:
        tree.git("merge", "--quiet", "--no-edit", "-m", f"Merge {commit[:12]}", "--", commit)
    except RepositoryFailed:
        clashes = _clashes(tree)
        if not clashes:
            raise
        return clashes
    return ()


def _clashes(tree: Worktree) -> tuple[Clash, ...]:
    stages: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in tree.git("ls-files", "--unmerged", "-z").split("\0"):
        told, _, path = entry.partition("\t")
        if path:
            _, blob, stage = told.split()
            stages[path][stage] = blob
    if not stages:
        return ()
    binary = _binary(tree)
    return tuple(
        Clash(shown(path), of.get("1", ""), of.get("2", ""), of.get("3", ""), path in binary)
        for path, of in sorted(stages.items())
    )


def _binary(tree: Worktree) -> set[str]:
    """Files in which the two sides differ and git counts no lines."""
    options = ("--numstat", "--no-renames", "--no-ext-diff", "--no-textconv", "-z")
    told = tree.git("diff", *options, "HEAD", "MERGE_HEAD", "--")
    lines = (line.split("\t", 2) for line in told.split("\0") if line)
    return {path for added, _, path in lines if added == "-"}
