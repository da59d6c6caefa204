"""What a merge into the base branch would bring: the merged commit, made without touching any branch or
worktree, and its files and lines (FR-010, BX-3). Everything is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.changes import CommitSpan, CountedFile, changed_files, changed_lines, with_gaps
from orchestrator.adapters.commits import find_commits
from orchestrator.adapters.drivers import disarmed
from orchestrator.adapters.repository import RepositoryFailed, git
from orchestrator.core.plans.text.line_diff import DiffLine

#: Files that are listed, files whose lines are shown, lines of one of them, and characters of one of them.
FILES, FILES_SHOWN, LINES, CHARACTERS = 500, 60, 400, 20_000


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file with its added and removed lines; `text` are the changed lines with three beside each,
    empty where they are too many or there are none. `binary` has no lines."""

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
    span = CommitSpan(base, commit)
    files = changed_files(repository, [span])[0] or ()
    listed = files[:FILES]
    wanted = [file.path for file in listed if 0 < file.lines <= LINES][:FILES_SHOWN]
    lines = changed_lines(repository, span, wanted)
    found = tuple(_change(file, _text(lines.get(file.path, ()))) for file in listed)
    return found, len(files) - len(listed)


def _change(file: CountedFile, text: str) -> FileChange:
    return FileChange(file.name, file.added or 0, file.removed or 0, file.added is None, text)


def _text(lines: Sequence[DiffLine]) -> str:
    """The lines with git's signs in front, and a mark where some are left out."""
    signs = {"ins": "+", "dele": "-", "": " "}
    rows = []
    for line, jumps in with_gaps(lines):
        if jumps:
            rows.append("…")
        rows.append(f"{signs[line.kind]}{line.text}")
    return "\n".join(rows)[:CHARACTERS]


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
