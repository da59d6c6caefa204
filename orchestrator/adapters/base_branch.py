"""The base branch of a plan's repository: what is part of it, and what came after what (FR-010)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.repository import GitFailed, git


@dataclass(frozen=True, slots=True)
class Made:
    """A commit as git has it: full id, committer time in seconds since 1970, first line of its message."""

    commit: str
    at: int
    subject: str


@dataclass(frozen=True, slots=True)
class BaseBranch:
    """`name` in `repository`, a folder with a `.git`; only ever read. Commits are hexadecimal, full or abbreviated."""

    repository: Path
    name: str

    def head(self) -> str:
        """The commit it stands at; empty when the repository or the branch is not there."""
        if not (self.repository / ".git").is_dir():
            return ""
        return self._resolved(f"refs/heads/{self.name}")

    def find(self, commit: str) -> str:
        """The full id of a commit that the repository knows; empty when it does not."""
        return self._resolved(commit)

    def holds(self, commit: str) -> bool:
        """Whether a commit is part of the branch."""
        return self.follows(f"refs/heads/{self.name}", commit)

    def follows(self, later: str, earlier: str) -> bool:
        """Whether `later` was built on `earlier`; a commit follows itself. Unknown commits follow nothing."""
        try:
            git(self.repository, "merge-base", "--is-ancestor", earlier, later)
        except GitFailed:
            return False
        return True

    def holds_all(self, commits: Sequence[str]) -> bool:
        """Whether every one of these known commits is part of the branch."""
        asked = "\n".join([*commits, f"^refs/heads/{self.name}", ""])
        return not git(self.repository, "rev-list", "--max-count=1", "--stdin", send=asked).strip()

    def made(self, commits: Sequence[str]) -> list[Made | None]:
        """What git says of the commits, in their order; None for one that the repository does not know."""
        asked = "".join(f"{commit}^{{commit}}\n" for commit in commits)
        answers = [line.split() for line in git(self.repository, "cat-file", "--batch-check", send=asked).splitlines()]
        ids = [answer[0] if answer[1:2] == ["commit"] else "" for answer in answers]
        known = "".join(f"{full}\n" for full in ids if full)
        listed = git(self.repository, "log", "--no-walk", "--format=%H%x09%ct%x09%s", "--stdin", send=known)
        lines = (line.split("\t", 2) for line in listed.splitlines()) if known else ()
        found = {full: Made(full, int(at), subject) for full, at, subject in lines}
        return [found.get(full) for full in ids]

    def _resolved(self, name: str) -> str:
        try:
            return git(self.repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
        except GitFailed:
            return ""
