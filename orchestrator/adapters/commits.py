"""What somebody calls a commit, as the full id of a commit that a repository holds.

No other word gets to git.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from orchestrator.adapters.repository import RepositoryFailed, git
from orchestrator.core.git_names import is_branch_name, is_commit_word, is_full_commit

#: Names of files only, by no program that the repository names; of merges what they changed themselves.
_TOUCHED: Final = (
    *("--format=", "--name-only", "-z", "--diff-merges=combined", "--no-renames"),
    *("--no-ext-diff", "--no-textconv", "--max-count=1000"),
)


def find_commits(repository: Path, words: Sequence[str]) -> list[str]:
    """Full ids in the order of the words; "" for what is no id, is unknown or ambiguous, or is not a
    commit's.

    One process, and the words go over its input, where nothing is an option. A branch may be called like an
    abbreviated id, and git would rather name its commit: that one does not begin with the word.
    """
    asked = [word for word in dict.fromkeys(words) if is_commit_word(word)]
    if not asked:
        return [""] * len(words)
    send = "".join(f"{word}^{{commit}}\n" for word in asked)
    answers = git(repository, "cat-file", "--batch-check=%(objecttype) %(objectname)", send=send).split("\n")
    found = dict(zip(asked, map(_commit, answers), strict=False))
    full = [found.get(word, "") for word in words]
    return [one if one.startswith(word) else "" for one, word in zip(full, words, strict=True)]


def find_commit(repository: Path, word: str) -> str:
    return find_commits(repository, [word])[0]


def branch_head(repository: Path, branch: str) -> str:
    """The commit that a branch stands at; "" when there is no such branch, or its name could be none."""
    if not is_branch_name(branch):
        return ""
    with contextlib.suppress(OSError, ValueError):
        # Its own file says it without a process, unless git has packed it.
        loose = (repository / ".git" / "refs" / "heads" / branch).read_text().strip()
        if is_full_commit(loose):
            return loose
    try:
        name = f"refs/heads/{branch}^{{commit}}"
        return git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", name).strip()
    except RepositoryFailed:
        return ""


def ref_head(repository: Path, ref: str) -> str:
    """The commit that a ref of ours stands at; "" when there is none."""
    try:
        name = f"{ref}^{{commit}}"
        return git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", name).strip()
    except RepositoryFailed:
        return ""


def _commit(answer: str) -> str:
    kind, _, name = answer.partition(" ")
    return name if kind == "commit" else ""


def files_touched(repository: Path, commit: str, without: Sequence[str]) -> list[str]:
    """The files that the newest thousand commits touch which `commit` was built on and none of the `without`,
    sorted; of a merge only what is as on neither side. All of them are known commits."""
    excluded = [f"^{one}" for one in without]
    send = "\n".join([commit, *excluded, ""])
    listed = git(repository, "log", *_TOUCHED, "--stdin", send=send)
    return sorted(set(listed.replace("\n", "\0").split("\0")) - {""})
