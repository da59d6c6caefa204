"""What a merge into the base branch would bring: the merged commit, made without touching any branch or
worktree, and its files and lines (FR-010, BX-3). Everything is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.adapters.commits import find_commits
from orchestrator.adapters.drivers import disarmed
from orchestrator.adapters.repository import RepositoryFailed, git, shown

#: Files that are listed, files whose lines are shown, lines of one of them, and characters of one of them.
FILES, FILES_SHOWN, LINES, CHARACTERS = 500, 60, 400, 20_000
#: Files from this size on are told as binary.
_PLAIN: Final = ("-c", "core.bigFileThreshold=1m")
_OPTIONS: Final = ("--no-renames", "--no-color", "--no-ext-diff", "--no-textconv")


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file with its added and removed lines; `text` are the hunks, empty where they are too many or there
    are none. `binary` has no lines."""

    path: str
    added: int
    removed: int
    binary: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """The `commit` that has base and tips merged, or the files in which that does not work, and the tip that
    does not fit."""

    commit: str = ""
    clashes: tuple[str, ...] = ()
    clashing: str = ""


def tips_of(repository: Path, base: str, words: Sequence[str]) -> list[str]:
    """Those of the commits that neither the base nor another one of them contains, as full ids in their
    order; what the repository does not know is left out."""
    commits = [full for full in dict.fromkeys(find_commits(repository, words)) if full]
    if not commits:
        return []
    told = git(repository, "merge-base", "--independent", base, *commits)
    needed = set(told.split()) - {base}
    return [commit for commit in commits if commit in needed]


def merge_of(repository: Path, base: str, tips: Sequence[str], message: str, at: int) -> Merge:
    """Base and tips as one commit, made `at` that time, that stands on no branch; the base itself where there
    is nothing to merge. All are known commits. Made again at the same time it is the same commit."""
    if len(tips) == 1 and _is_ahead(repository, base, tips[0]):
        return Merge(tips[0])
    head = base
    for tip in tips:
        try:
            told = _merge_tree(repository, head, tip)
        except RepositoryFailed as problem:
            if problem.details.get("exit_code") != 1:
                raise
            return Merge(clashes=_clashing(repository, head, tip), clashing=tip)
        words = ("-p", head, "-p", tip, "-m", message)
        tree = told.split("\n")[0].strip()
        head = git(repository, "commit-tree", *words, tree, at=at).strip()
    return Merge(head)


def changes(repository: Path, base: str, commit: str) -> tuple[tuple[FileChange, ...], int]:
    """The changes that a known commit brings to a known base, and how many files more there are."""
    told = git(repository, "diff", "--numstat", "-z", *_OPTIONS, base, commit, "--", settings=_PLAIN)
    rows = [line.split("\t", 2) for line in told.split("\0") if line]
    found = []
    for number, (added, removed, path) in enumerate(rows[:FILES]):
        binary = added == "-"
        lines = 0 if binary else int(added) + int(removed)
        text = ""
        if number < FILES_SHOWN and 0 < lines <= LINES:
            text = _hunks(repository, base, commit, path)
        found.append(
            FileChange(shown(path), 0 if binary else int(added), 0 if binary else int(removed), binary, text)
        )
    return tuple(found), max(0, len(rows) - FILES)


def _hunks(repository: Path, base: str, commit: str, path: str) -> str:
    told = git(repository, "diff", *_OPTIONS, base, commit, "--", path, settings=_PLAIN)
    _, mark, hunks = told.partition("\n@@")
    return shown(f"@@{hunks}"[:CHARACTERS]) if mark else ""


def _is_ahead(repository: Path, base: str, tip: str) -> bool:
    try:
        git(repository, "merge-base", "--is-ancestor", base, tip)
    except RepositoryFailed:
        return False
    return True


def _merge_tree(repository: Path, ours: str, theirs: str, *options: str) -> str:
    settings = disarmed(repository, repository / ".git")
    return git(
        repository, "merge-tree", "--write-tree", "--no-messages", *options, ours, theirs, settings=settings
    )


def _clashing(repository: Path, ours: str, theirs: str) -> tuple[str, ...]:
    """Git answers with exit code 1 and the names, so they are taken from the refusal's own call."""
    try:
        _merge_tree(repository, ours, theirs, "--name-only", "-z")
    except RepositoryFailed as problem:
        said = str(problem.message).partition("failed: ")[2]
        names = [name for name in said.split("\0")[1:] if name]
        return tuple(dict.fromkeys(names))
    return ()
