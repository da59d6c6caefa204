"""A lane's own git worktree and branch of the repository a plan works on (WF-4, BX-1).

Every new attempt starts from what is certain: the base branch plus the commits of completed steps. So a
crash, a failed attempt or work that was sent back leaves nothing in its way, and what they left is under a
ref of its own (`adapters/keeping.py`).
"""

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.adapters.commits import branch_head, find_commit, find_commits
from orchestrator.adapters.drivers import disarmed
from orchestrator.adapters.repository import RepositoryFailed, git, locked
from orchestrator.core.errors import Busy, Refusal
from orchestrator.core.git_names import is_full_commit

#: Names of files, by no program that the repository or the work names.
PLAIN: Final = ("--name-only", "--no-renames", "--no-ext-diff", "--no-textconv")
#: Seconds after which a lock file of the whole repository belongs to nobody: git holds one for moments.
STALE: Final = 5.0
_LOOK_AGAIN: Final = 0.02


class RepositoryMissing(Refusal):
    """The plan's repository or its base branch is not there."""

    code, status = "repository-missing", 409
    recovery = (
        "Ask the operator to put the repository into the repositories folder, then queue the step again."
    )


@dataclass(frozen=True, slots=True)
class Worktree:
    """Where one lane works: `folder` (absolute) of `repository`, on `branch`, which starts from `base`.

    What says so is called within `alone()`. `patience` are the seconds for which it waits for other work of
    ours on the repository.
    """

    repository: Path
    folder: Path
    branch: str
    base: str
    patience: float = 60.0

    @property
    def lock(self) -> Path:
        """Held while a tool works in the worktree."""
        return self.folder.with_name(f".{self.folder.name}.lock")

    @property
    def is_made(self) -> bool:
        return self.folder.is_dir()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other work of ours off the repository. Raises `RepositoryMissing`, `Busy`, and
        `RepositoryFailed` for whatever the disk refuses.

        People and agents run their own git in their worktrees beside us, so only locks that are nobody's any
        more are removed.
        """
        if not (self.repository / ".git").is_dir():
            raise RepositoryMissing(
                f"There is no repository “{self.repository.name}”.", repository=self.repository.name
            )
        try:
            with locked(self.repository / ".git" / "orchestrator.lock", self._waiting()):
                _drop_stale_locks(self.repository)
                yield
        except OSError as problem:
            raise RepositoryFailed(
                f"The worktree {self.folder.name} could not be written: {problem.strerror}."
            ) from problem

    def _waiting(self) -> Callable[[], None]:
        until = time.monotonic() + self.patience

        def wait() -> None:
            if time.monotonic() > until:
                raise Busy(f"Other work is being done on the repository “{self.repository.name}”.")
            time.sleep(_LOOK_AGAIN)

        return wait

    def check_out(self) -> str:
        """Make the worktree anew on the head of the base branch; what stood in it is gone. The head. Within
        `alone()`. Raises `RepositoryMissing`, `RepositoryFailed`."""
        base = self.base_head()
        self._drop_own_locks()
        if not self.is_usable():
            _make_removable(self.folder)
            shutil.rmtree(self.folder, ignore_errors=True)
            self._add("-B", self.branch, "--no-checkout", at=base)
        self.start_on(base)
        return base

    def bring_back(self) -> None:
        """Have the folder again on its branch, where somebody took it away. Within `alone()`."""
        self._add("--no-checkout", at=self.branch)
        self.git("reset", "--quiet", "--hard")

    @contextmanager
    def for_a_while(self, commit: str) -> Iterator[str]:
        """Have a commit's files, and nothing else, in a folder of its own on no branch, and take it away
        behind the block; what a killed run left goes first. Yields git's name of the tree. The block is not
        within `alone()`. Raises `RepositoryMissing`, `RepositoryFailed`."""
        with self.alone():
            self._remove()
            self._add("--detach", "--no-checkout", at=_full(commit))
            self.git("reset", "--quiet", "--hard")
            tree = self.git("rev-parse", "--verify", "HEAD^{tree}").strip()
        try:
            yield tree
        finally:
            with self.alone():
                self._remove()

    def _remove(self) -> None:
        if self.folder.is_dir():
            _make_removable(self.folder)
            shutil.rmtree(self.folder, ignore_errors=True)
        git(self.repository, "worktree", "prune")

    def restart(self, start: str) -> None:
        """Go back to the commit that the attempt started from, without anything that a tool left."""
        with self.alone():
            self._drop_own_locks()
            self.start_on(start)

    def start_on(self, commit: str) -> None:
        """Have branch and files at a commit, and nothing else in the folder. Within `alone()`."""
        self._clear()
        self.git("checkout", "--quiet", "--force", "-B", self.branch, _full(commit))

    def commit(self, message: str) -> str:
        """Commit everything that was changed.

        Returns the commit, which is the old one when nothing was.
        """
        with self.alone():
            self.git("add", "--all")
            if self.git("status", "--porcelain") or self.merging():
                self.git("commit", "--quiet", "--message", message)
            return self.head()

    def settle_on(self, commit: str) -> bool:
        """Go back to an earlier commit that holds the same files as this one.

        False when there is none such (AD-7).
        """
        with self.alone():
            full = find_commit(self.repository, commit)
            if not full:
                return False
            try:
                trees = {self.git("rev-parse", "--verify", f"{one}^{{tree}}") for one in ("HEAD", full)}
            except RepositoryFailed:
                return False
            if len(trees) == 1:
                self.git("reset", "--quiet", "--hard", full)
        return len(trees) == 1

    def changed(self, since: str) -> list[str]:
        """Files added or changed since the commit `since`, sorted."""
        listed = self.git("diff", *PLAIN, "-z", "--diff-filter=d", _full(since), "HEAD", "--")
        return sorted(name for name in listed.split("\0") if name)

    def head(self) -> str:
        return self.git("rev-parse", "--verify", "HEAD").strip()

    def merging(self) -> str:
        """The commit in the middle of whose merge the worktree stands; empty when it is in none."""
        own = self.own_files()
        try:
            return (own / "MERGE_HEAD").read_text("utf-8", "replace").split("\n")[0] if own else ""
        except OSError:
            return ""

    def base_head(self) -> str:
        base = branch_head(self.repository, self.base)
        if not base:
            name = self.repository.name
            raise RepositoryMissing(f"The repository “{name}” has no branch “{self.base}”.", repository=name)
        return base

    def known(self, commits: Sequence[str]) -> list[str]:
        """Their full ids. Raises RepositoryMissing for what is no commit of the repository."""
        found = find_commits(self.repository, commits)
        if missing := next((word for word, full in zip(commits, found, strict=True) if not full), ""):
            raise RepositoryMissing(
                f"A completed step named the commit “{missing[:64]}”, which "
                f"“{self.repository.name}” does not have.",
                recovery="Fetch it into the repository, or send that step back, then queue this step again.",
                repository=self.repository.name,
            )
        return found

    def is_usable(self) -> bool:
        """Whether the folder is linked as git made it and the repository's part is whole."""
        link, found = self.folder / ".git", self.own_files()
        try:
            if found is None or not stat.S_ISREG(link.lstat().st_mode):
                return False
            if link.read_bytes() != f"gitdir: {found}\n".encode():
                return False
            self.git("rev-parse", "--git-dir")
        except (OSError, RepositoryFailed):
            return False
        return True

    def own_files(self) -> Path | None:
        """The repository's folder for this worktree. The worktree's `.git` is not asked: tools write it."""
        link = f"{os.path.realpath(self.folder)}/.git"
        for told in sorted((self.repository.resolve() / ".git" / "worktrees").glob("*/gitdir")):
            if told.read_text("utf-8", "replace").strip() == link:
                return told.parent
        return None

    def git(self, *arguments: str, send: str = "") -> str:
        """Git in the worktree, as the repository knows it, whatever a tool left in the folder.

        Raises `RepositoryFailed`.
        """
        own = self.own_files()
        if own is None:
            raise RepositoryFailed(
                f"The repository “{self.repository.name}” knows no worktree {self.folder.name}."
            )
        return git(self.folder, *arguments, send=send, settings=disarmed(self.repository, own), git_dir=own)

    def _add(self, *options: str, at: str) -> None:
        git(self.repository, "worktree", "prune")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        git(self.repository, "worktree", "add", "--quiet", "--force", *options, "--", str(self.folder), at)

    def _clear(self) -> None:
        with contextlib.suppress(RepositoryFailed):
            self.git("merge", "--abort")
        try:
            self._clean()
        except RepositoryFailed:
            _make_removable(self.folder)
            self._clean()
        _remove_pipes(self.folder)

    def _clean(self) -> None:
        self.git("reset", "--quiet", "--hard")
        self.git("clean", "--quiet", "-ffdx")

    def _drop_own_locks(self) -> None:
        """Whoever held the worktree before is gone."""
        own = self.own_files()
        branch = self.repository / ".git" / "refs" / "heads" / f"{self.branch}.lock"
        for lock in [branch, *(own.glob("*.lock") if own else ())]:
            lock.unlink(missing_ok=True)


def _full(commit: str) -> str:
    """The id itself; what is none never gets to git."""
    if not is_full_commit(commit):
        raise RepositoryFailed(f"“{commit[:80]}” is no commit.")
    return commit


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
    """A killed git leaves lock files. Those of other worktrees are theirs: an agent may be committing."""
    found = [*repository.glob(".git/*.lock"), *repository.glob(".git/refs/heads/ws/**/*.lock")]
    for lock in found:
        with contextlib.suppress(OSError):
            if lock.name != "orchestrator.lock" and time.time() - lock.stat().st_mtime > STALE:
                lock.unlink()
