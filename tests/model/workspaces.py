"""Workspaces that can be killed half way: one in memory, for speed, and the real one."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace import FileDamage, Workspace, repository


class Killed(BaseException):
    """The process died here. No code of the product catches it."""


class Faults(dict[int, str]):
    """The number of a coming write (from 1) -> where it dies: `before-blob`, `before-files` (the branch has
    moved, the files have not), `before-mark`; or `full`, a disk without room."""

    def next(self) -> str:
        due = self.pop(1, "")
        left = {number - 1: fault for number, fault in self.items()}
        self.clear()
        self.update(left)
        return due


class MemoryWorkspace:
    """Stands in for `workspace.Workspace`: branch and work tree are two dictionaries, by `root`."""

    branches: dict[Path, dict[str, bytes]] = {}
    trees: dict[Path, dict[str, bytes]] = {}
    heads: dict[Path, int] = {}
    #: The files of the history's seals, which have a branch of their own.
    seals: dict[Path, dict[str, bytes]] = {}
    faults = Faults()

    def __init__(self, root: Path) -> None:
        self.root = root
        self.intend = repository.nobody
        self.branch = self.branches.setdefault(root, {})
        self.tree = self.trees.setdefault(root, {})

    @classmethod
    def forget(cls) -> None:
        for kept in (cls.branches, cls.trees, cls.heads, cls.seals, cls.faults):
            kept.clear()

    @classmethod
    def lose(cls, path: str) -> None:
        """Take a file out of the work tree, behind the orchestrator's back."""
        for tree in cls.trees.values():
            tree.pop(path, None)

    @contextmanager
    def locked(self, patience: float = 0) -> Iterator[None]:
        yield

    def head(self) -> str:
        number = self.heads.get(self.root, 0)
        return _commit(number) if number else ""

    def write(self, contents: Mapping[str, bytes], message: str, at: datetime, *, listed: bool = True) -> str:
        fault = self.faults.next()
        if fault == "full":
            raise WorkspaceUnavailable("The disk is full.")
        if fault == "before-blob":
            raise Killed
        if any(self.branch.get(path) != content for path, content in contents.items()):
            self.intend(_commit(self.heads.get(self.root, 0) + 1))
            self.branch.update(contents)
            self.heads[self.root] = self.heads.get(self.root, 0) + 1
        if fault == "before-files":
            raise Killed
        self.tree.update(contents)
        if fault == "before-mark":
            raise Killed
        return self.head()

    def sealed(self, path: str) -> bytes | None:
        return self.seals.get(self.root, {}).get(path)

    def seal(
        self,
        contents: Mapping[str, bytes],
        gone: Iterable[str],
        message: str,
        at: datetime,
        *,
        anew: bool = False,
    ) -> None:
        kept = {} if anew else self.seals.get(self.root, {})
        self.seals[self.root] = {
            path: content for path, content in kept.items() if path not in gone
        } | contents

    def standing(self, contents: Mapping[str, bytes]) -> Mapping[str, bool]:
        return {
            path: self.branch[path] == content for path, content in contents.items() if path in self.branch
        }

    def commit_of(self, path: str) -> str:
        return self.head() if path in self.branch else ""

    def content_at(self, commit: str, path: str) -> bytes | None:
        return self.branch.get(path) if commit else None

    def reaches(self, commit: str) -> bool:
        return True

    def holds_commit(self, commit: str) -> bool:
        return True

    def damaged_object(self, content: bytes) -> str:
        return ""

    def mend(self, contents: Iterable[bytes]) -> None:
        """No object is damaged here."""

    def read(self, path: str) -> bytes:
        if path not in self.tree:
            raise FileDamage("is missing")
        return self.tree[path]

    def has_link(self, path: str) -> bool:
        return False


def _commit(number: int) -> str:
    return hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()


class GitWorkspace(Workspace):
    """The real one; it dies at its own crash points."""

    faults = Faults()

    @classmethod
    def forget(cls) -> None:
        cls.faults.clear()
        shutil.rmtree(settings.WORKSPACE_DIR, ignore_errors=True)

    @classmethod
    def lose(cls, path: str) -> None:
        (settings.WORKSPACE_DIR / path).unlink(missing_ok=True)

    def write(self, contents: Mapping[str, bytes], message: str, at: datetime, *, listed: bool = True) -> str:
        fault = self.faults.next()
        if fault == "full":
            raise WorkspaceUnavailable("The disk is full.")

        def crash_point(name: str) -> None:
            if name == fault:
                raise Killed

        plain, repository.crash_point = repository.crash_point, crash_point
        try:
            head = super().write(contents, message, at, listed=listed)
        finally:
            repository.crash_point = plain
        if fault == "before-mark":
            raise Killed
        return head
