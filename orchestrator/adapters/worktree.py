"""A thread's own git worktree and branch of the repository a plan works on (WF-4, BX-1).

Every preparation starts from what is certain: the base branch plus the commits of completed steps. So a
crash, a failed attempt or work that was sent back leaves nothing behind, and doing it again gives the same
tree (AD-7).
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.adapters.commits import branch_head, find_commit, find_commits
from orchestrator.adapters.drivers import disarmed
from orchestrator.adapters.repository import RepositoryFailed, git, locked, shown
from orchestrator.core.errors import Refusal

#: Names of files, by no program that the repository or the work names.
PLAIN: Final = ("--name-only", "--no-renames", "--no-ext-diff", "--no-textconv")


class RepositoryMissing(Refusal):
    """The plan's repository or its base branch is not there."""

    code, status = "repository-missing", 409
    recovery = (
        "Ask the operator to put the repository into the repositories folder, then queue the step again."
    )


class MergeConflict(Refusal):
    """Two completed steps changed the same lines."""

    code, status = "merge-conflict", 409
    recovery = (
        "Send one of the steps back so that it no longer changes the same lines, then queue this step again."
    )


@dataclass(frozen=True, slots=True)
class Worktree:
    """Where one thread works: `folder` (absolute) of `repository`, on `branch`, which starts from `base`."""

    repository: Path
    folder: Path
    branch: str
    base: str

    @property
    def lock(self) -> Path:
        """Held while a tool works in the worktree."""
        return self.folder.with_name(f".{self.folder.name}.lock")

    def prepare(self, upstream: Sequence[str]) -> str:
        """Reset the worktree to its base with the `upstream` commits merged in; returns the commit it starts
        from.

        Waits for other git work on the same repository. Raises `RepositoryMissing`, `MergeConflict`,
        `RepositoryFailed`.
        """
        if not (self.repository / ".git").is_dir():
            raise RepositoryMissing(
                f"There is no repository “{self.repository.name}”.", repository=self.repository.name
            )
        with locked(self.repository / ".git" / "orchestrator.lock"):
            _drop_stale_locks(self.repository)
            commits = self._known(upstream)
            self._check_out()
            for commit in self._independent(commits):
                self._merge(commit)
        return self._git("rev-parse", "HEAD").strip()

    def commit(self, message: str) -> str:
        """Commit everything the tool changed.

        Returns the commit, which is the old one when it changed nothing.
        """
        with locked(self.repository / ".git" / "orchestrator.lock"):
            self._git("add", "--all")
            if self._git("status", "--porcelain"):
                self._git("commit", "--quiet", "--message", message)
        return self._git("rev-parse", "HEAD").strip()

    def settle_on(self, commit: str) -> bool:
        """Go back to an earlier commit that holds the same files as this one.

        False when there is none such (AD-7).
        """
        with locked(self.repository / ".git" / "orchestrator.lock"):
            full = find_commit(self.repository, commit)
            if not full:
                return False
            try:
                trees = {self._git("rev-parse", "--verify", f"{one}^{{tree}}") for one in ("HEAD", full)}
            except RepositoryFailed:
                return False
            if len(trees) == 1:
                self._git("reset", "--quiet", "--hard", full)
        return len(trees) == 1

    def changed(self, since: str) -> list[str]:
        """Files added or changed since the commit `since`, sorted."""
        listed = self._git("diff", *PLAIN, "-z", "--diff-filter=d", since, "HEAD", "--")
        return sorted(name for name in listed.split("\0") if name)

    def _check_out(self) -> None:
        base = branch_head(self.repository, self.base)
        if not base:
            name = self.repository.name
            raise RepositoryMissing(f"The repository “{name}” has no branch “{self.base}”.", repository=name)
        if not self._usable():
            _make_removable(self.folder)
            shutil.rmtree(self.folder, ignore_errors=True)
            git(self.repository, "worktree", "prune")
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            add = ("worktree", "add", "--quiet", "--force", "--no-checkout", "-B")
            git(self.repository, *add, self.branch, str(self.folder), base)
        with contextlib.suppress(RepositoryFailed):
            self._git("merge", "--abort")
        try:
            self._clean()
        except RepositoryFailed:
            _make_removable(self.folder)
            self._clean()
        _remove_pipes(self.folder)
        self._git("checkout", "--quiet", "--force", "-B", self.branch, base)

    def _clean(self) -> None:
        self._git("reset", "--quiet", "--hard")
        self._git("clean", "--quiet", "-ffdx")

    def _known(self, commits: Sequence[str]) -> list[str]:
        found = find_commits(self.repository, commits)
        if missing := next((word for word, full in zip(commits, found, strict=True) if not full), ""):
            raise RepositoryMissing(
                f"A completed step named the commit “{missing[:64]}”, which "
                f"“{self.repository.name}” does not have.",
                recovery="Fetch it into the repository, or send that step back, then queue this step again.",
                repository=self.repository.name,
            )
        return found

    def _usable(self) -> bool:
        """Whether the folder is linked as git made it and the repository's part is whole."""
        link, found = self.folder / ".git", self._own_files()
        try:
            if found is None or not stat.S_ISREG(link.lstat().st_mode):
                return False
            if link.read_bytes() != f"gitdir: {found}\n".encode():
                return False
            self._git("rev-parse", "--git-dir")
        except (OSError, RepositoryFailed):
            return False
        return True

    def _own_files(self) -> Path | None:
        """The repository's folder for this worktree. The worktree's `.git` is not asked: tools write it."""
        link = f"{os.path.realpath(self.folder)}/.git"
        for told in sorted((self.repository.resolve() / ".git" / "worktrees").glob("*/gitdir")):
            if told.read_text("utf-8", "replace").strip() == link:
                return told.parent
        return None

    def _git(self, *arguments: str) -> str:
        """Git in the worktree, as the repository knows it, whatever a tool left in the folder.

        Raises `RepositoryFailed`.
        """
        own = self._own_files()
        if own is None:
            raise RepositoryFailed(
                f"The repository “{self.repository.name}” knows no worktree {self.folder.name}."
            )
        return git(self.folder, *arguments, settings=disarmed(self.repository, own), git_dir=own)

    def _independent(self, commits: Sequence[str]) -> list[str]:
        """Those commits that no other one contains, in the order given."""
        if len(commits) < 2:
            return list(commits)
        needed = set(self._git("merge-base", "--independent", *commits).split())
        return [commit for commit in commits if commit in needed]

    def _merge(self, commit: str) -> None:
        try:
            self._git("merge", "--quiet", "--no-edit", "-m", f"Merge {commit[:12]}", commit)
        except RepositoryFailed as problem:
            told = self._git("diff", *PLAIN, "-z", "--diff-filter=U")
            files = [shown(name) for name in told.split("\0") if name]
            with contextlib.suppress(RepositoryFailed):
                self._git("merge", "--abort")
            if not files:
                raise
            raise MergeConflict(
                f"The work of completed steps changes the same lines: {', '.join(files)} (merging "
                f"{commit[:12]}).",
                path=files[0],
            ) from problem


def _make_removable(folder: Path) -> None:
    """A tool may have taken away the right to look into its own folders."""
    for top, names, _ in os.walk(folder):
        for name in names:
            path = Path(top, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IRWXU)


def _remove_pipes(folder: Path) -> None:
    """Git passes over pipes and sockets, also when it cleans.

    The next attempt would find what the last one left.
    """
    for top, _, names in os.walk(folder):
        for name in names:
            path = Path(top, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
                path.unlink()


def _drop_stale_locks(repository: Path) -> None:
    """A killed git leaves lock files; nobody else works here while our own lock is held."""
    for lock in [*repository.glob(".git/*.lock"), *repository.glob(".git/worktrees/*/*.lock")]:
        if lock.name != "orchestrator.lock":
            lock.unlink(missing_ok=True)
    for lock in repository.glob(".git/refs/heads/ws/**/*.lock"):
        lock.unlink(missing_ok=True)
