"""The base branch of a plan's repository: what is part of it, and what came after what (FR-010)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.commits import branch_head, find_commit, find_commits
from orchestrator.adapters.repository import RepositoryFailed, git
from orchestrator.core.git_names import is_full_commit


@dataclass(frozen=True, slots=True)
class MadeCommit:
    """A commit as git has it: full id, committer time in seconds since 1970, first line of its message."""

    commit: str
    at: int
    subject: str


@dataclass(frozen=True, slots=True)
class BaseBranch:
    """`name` in `repository`, a folder with a `.git`; only ever read.

    Commits are full ids, as `find` gives them.
    """

    repository: Path
    name: str

    def head(self) -> str:
        """The commit it stands at; empty when the repository or the branch is not there."""
        if not (self.repository / ".git").is_dir():
            return ""
        return branch_head(self.repository, self.name)

    def find(self, word: str) -> str:
        """The full id of a commit that the repository knows; empty when it does not, or the word is no id."""
        return find_commit(self.repository, word)

    def find_all(self, words: Sequence[str]) -> list[str]:
        """The same for several, in their order."""
        return find_commits(self.repository, words)

    def holds(self, commit: str) -> bool:
        """Whether a commit is part of the branch."""
        return self.follows(self.head(), commit)

    def follows(self, later: str, earlier: str) -> bool:
        """Whether `later` was built on `earlier`; a commit follows itself. Unknown commits follow nothing."""
        if not (is_full_commit(later) and is_full_commit(earlier)):
            return False
        try:
            git(self.repository, "merge-base", "--is-ancestor", earlier, later)
        except RepositoryFailed:
            return False
        return True

    def is_related(self, commit: str) -> bool:
        """Whether a known commit and the branch have anything in common."""
        try:
            return bool(git(self.repository, "merge-base", commit, self.head()).strip())
        except RepositoryFailed:
            return False

    def holds_all(self, commits: Sequence[str]) -> bool:
        """Whether every one of these known commits is part of the branch."""
        asked = "\n".join([*commits, f"^{self.head()}", ""])
        return not git(self.repository, "rev-list", "--max-count=1", "--stdin", send=asked).strip()

    def made(self, commits: Sequence[str]) -> list[MadeCommit | None]:
        """What git says of the commits, in their order; None for one that the repository does not know."""
        ids = find_commits(self.repository, commits)
        known = "".join(f"{full}\n" for full in ids if full)
        if not known:
            return [None] * len(ids)
        listed = git(
            self.repository, "log", "--no-walk", "-z", "--format=%H%x09%ct%x09%s", "--stdin", send=known
        )
        lines = (line.split("\t", 2) for line in listed.split("\0") if line)
        found = {full: MadeCommit(full, int(at), subject) for full, at, subject in lines}
        return [found.get(full) for full in ids]
