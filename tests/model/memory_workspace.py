"""A workspace in memory, for speed: branch and work tree are two dictionaries, and a write can be killed half way."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace import FileDamage


class Killed(BaseException):
    """The process died here. No code of the product catches it."""


class MemoryWorkspace:
    """Stands in for `workspace.Workspace`; what is written by one instance is read by the next, by `root`.

    `faults` maps the number of a coming write (from 1) to where it dies: `before-blob`, `before-files` (the branch has
    moved, the files have not) or `before-mark`; `full` is a disk without room.
    """

    branches: dict[Path, dict[str, bytes]] = {}
    trees: dict[Path, dict[str, bytes]] = {}
    heads: dict[Path, int] = {}
    faults: dict[int, str] = {}

    def __init__(self, root: Path) -> None:
        self.root = root
        self.branch = self.branches.setdefault(root, {})
        self.tree = self.trees.setdefault(root, {})

    @classmethod
    def forget(cls) -> None:
        for kept in (cls.branches, cls.trees, cls.heads, cls.faults):
            kept.clear()

    @contextmanager
    def locked(self, patience: float = 0) -> Iterator[None]:
        yield

    def head(self) -> str:
        number = self.heads.get(self.root, 0)
        return hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest() if number else ""

    def write(self, contents: Mapping[str, bytes], message: str, at: datetime) -> str:
        fault = self._next_fault()
        if fault == "full":
            raise WorkspaceUnavailable("The disk is full.")
        if fault == "before-blob":
            raise Killed
        if any(self.branch.get(path) != content for path, content in contents.items()):
            self.branch.update(contents)
            self.heads[self.root] = self.heads.get(self.root, 0) + 1
        if fault == "before-files":
            raise Killed
        self.tree.update(contents)
        if fault == "before-mark":
            raise Killed
        return self.head()

    def _next_fault(self) -> str:
        due = self.faults.pop(1, "")
        left = {number - 1: fault for number, fault in self.faults.items()}
        self.faults.clear()
        self.faults.update(left)
        return due

    def standing(self, contents: Mapping[str, bytes]) -> Mapping[str, bool]:
        return {path: self.branch[path] == content for path, content in contents.items() if path in self.branch}

    def commit_of(self, path: str) -> str:
        return self.head() if path in self.branch else ""

    def content_at(self, commit: str, path: str) -> bytes | None:
        return self.branch.get(path) if commit else None

    def read(self, path: str) -> bytes:
        if path not in self.tree:
            raise FileDamage("is missing")
        return self.tree[path]

    def has_link(self, path: str) -> bool:
        return False
