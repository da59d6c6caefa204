"""The workspace repository: files go into a commit and then into the work tree, in an order that survives any
crash.

The order is: finished copies in a folder of our own, objects, tree, commit, branch, then the copies move into
the work tree. Until the branch moves nothing has happened; after it, the same call finds its bytes in the
branch and only the move is repeated (F4 to F6). Git's index, which lists every file, comes last and may lag
behind the branch: writing it takes as long as the workspace is large. Everything that writes runs under
`locked()`.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from orchestrator.core.sealing.tiles import CHECKPOINT
from orchestrator.workspace import files, objects
from orchestrator.workspace.files import disk_errors
from orchestrator.workspace.git import SETTINGS, Git, GitFailed
from orchestrator.workspace.index import Index
from orchestrator.workspace.kept import keep_content
from orchestrator.workspace.lock import exclusive
from orchestrator.workspace.store import BRANCH, Store

NO_COMMIT = "0" * 40
COMMIT_LENGTH: Final = 40
COMMIT_NAME = re.compile("[0-9a-f]{40}")
#: Seconds that a second writer waits for the first; shorter than a queue task may last.
PATIENCE = 30.0
_READY = "[orchestrator]"


def crash_point(name: str) -> None:
    """A place where tests kill the process; does nothing otherwise."""


def nobody(_commit: str) -> None:
    """Nobody has to know where the branch is about to move."""


def untold(_path: str, _kept: str, _at: datetime) -> None:
    """Nobody has to know which files somebody had edited."""


#: Branches that tell executors what they hold and what became of their files.
OUTBOX: Final = "refs/outbox/"
#: The branch that holds checkpoint and tiles of the history (FR-009).
SEALS: Final = "refs/heads/history"


class Workspace:
    """The repository at `root`: created on first use, non-bare, so that people and executors can read the
    files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        # A commit never changes: what it holds is asked once. Path -> blob, or "" when it holds no such file.
        self._seen: dict[str, dict[str, str]] = {}
        #: Told of a commit before the branch moves to it, so that a kill between the two is recognised (F6).
        self.intend: Callable[[str], None] = nobody
        #: Told of a file that somebody edited, and where it is kept, before it is written anew (LC-12).
        self.edited: Callable[[str, str, datetime], None] = untold

    @cached_property
    def git(self) -> Git:
        return Git(self.root)

    @cached_property
    def index(self) -> Index:
        return Index(self.root)

    @cached_property
    def _store(self) -> Store:
        return Store(self.root)

    @cached_property
    def _staging(self) -> Path:
        return self.root / ".git" / "orchestrator-staging"

    @cached_property
    def _objects(self) -> Path:
        return self.root / ".git" / "objects"

    @contextmanager
    def locked(self, patience: float = PATIENCE) -> Iterator[None]:
        """Be the only writer, with the leftovers of a killed one removed. Raises WorkspaceUnavailable."""
        with exclusive(self.root.with_name(f"{self.root.name}.lock"), patience):
            self._clear_leftovers()
            self._create_once()
            yield

    def head(self) -> str:
        """The branch's commit, or "" while there is none."""
        return _loose_ref(f"{self.root}/.git/{BRANCH}") or self._store.head()

    def write(self, contents: Mapping[str, bytes], message: str, at: datetime, *, listed: bool = True) -> str:
        """Make the branch and the work tree hold these files; answer with the branch's commit. Needs
        `locked()`.

        Nothing is committed when the branch holds all of them already. Git's index is brought in line with
        the branch unless it need not be `listed`: then the next one that is catches up.
        """
        head = self.head()
        standing = self._blobs(head, contents)
        fresh = [path for path, content in contents.items() if standing.get(path) != blob_id(content)]
        stale = {path: found for path in contents if (found := self._content(path)) != contents[path]}
        copies = self._stage({path: contents[path] for path in {*fresh, *stale}})
        files.make_room(self.root, copies)
        for path, found in stale.items():
            self._keep_edited(path, found, at)
        crash_point("before-blob")
        if fresh:
            fresh_files = {path: contents[path] for path in fresh}
            head = self._commit(fresh_files, head, message, at, copies.values())
        else:
            files.to_disk(copies.values())
        crash_point("before-files")
        files.place({path: copies[path] for path in stale}, self.root)
        if listed:
            self._list(head)
        return head

    def write_answer(self, executor: str, files: Mapping[str, bytes], at: datetime) -> bool:
        """Have `refs/outbox/<executor>` hold exactly these files, for a producer that sees nothing but the
        workspace; whether it did not before. Losing it costs writing it again. Raises WorkspaceUnavailable.
        """
        with self.locked():
            return self._store.have_at(f"{OUTBOX}{executor}", files, f"Answer to {executor}", at)

    def seal(
        self,
        contents: Mapping[str, bytes],
        gone: Iterable[str],
        message: str,
        at: datetime,
        *,
        anew: bool = False,
    ) -> None:
        """Commit files of the history's seals to their own branch, which every clone has; the work tree
        never shows it. Needs `locked()`. Raises WorkspaceUnavailable."""
        self._store.grow_at(SEALS, contents, gone, message, at, anew=anew)

    def seals_head(self) -> str:
        """The newest commit of that branch, or ""."""
        return self._store.head_of(SEALS) if (self.root / ".git" / "config").is_file() else ""

    def keep_seals(self) -> str:
        """Have the branch of the seals stand under another name, which is answered, and begin anew."""
        return self._store.rename(SEALS)

    def sealed(self, path: str) -> bytes | None:
        """A file of that branch, or None."""
        return self._store.file_at(SEALS, path) if (self.root / ".git" / "config").is_file() else None

    def sealed_over_time(self, path: str) -> Iterator[bytes]:
        """What a file of that branch was in each of its commits, newest first."""
        return self._store.over_time(SEALS, path) if (self.root / ".git" / "config").is_file() else iter(())

    def standing(self, contents: Mapping[str, bytes], commit: str = "") -> Mapping[str, bool]:
        """For each path that the branch holds, or a commit: whether with these bytes."""
        blobs = self._blobs(commit or self.head(), contents)
        return {path: blobs[path] == blob_id(content) for path, content in contents.items() if path in blobs}

    def commit_of(self, path: str) -> str:
        """The newest commit of the branch that changed this path, or ""."""
        head = self.head()
        return self.git.line("rev-list", "-1", head, "--", path) if head else ""

    def holds_commit(self, commit: str) -> bool:
        """Whether git has a commit at all, on the branch or not."""
        return bool(commit) and self._agrees("cat-file", "-e", f"{commit}^{{commit}}")

    def goes_on(self, older: str, newer: str) -> bool:
        """Whether one commit is behind the other; the same one is not."""
        return older != newer and self._agrees("merge-base", "--is-ancestor", older, newer)

    def _agrees(self, *words: str) -> bool:
        try:
            self.git.run(*words)
        except GitFailed:
            return False
        return True

    def reaches(self, commit: str) -> bool:
        """Whether the branch holds a commit. Raises WorkspaceUnavailable when git could not be asked."""
        return self._agrees("merge-base", "--is-ancestor", commit, BRANCH)

    def damaged_object(self, content: bytes) -> str:
        """The name of the loose object that should hold these bytes and holds others, or "" (F21). Packed
        objects are checked when they are packed."""
        name = blob_id(content)
        return "" if objects.holds(self._objects, name, content) in {True, None} else name

    def mend(self, contents: Iterable[bytes]) -> None:
        """Write damaged loose objects anew. Needs `locked()`."""
        for content in contents:
            if name := self.damaged_object(content):
                objects.replace(self._objects, name, content)

    def loose_objects(self) -> int:
        """About how many objects stand alone, from one of git's 256 folders."""
        one = self._objects / "17"
        return 256 * sum(1 for _ in one.iterdir()) if one.is_dir() else 0

    def pack(self) -> None:
        """Put the loose objects of the branch, and of the one with seals, into a pack. Needs `locked()`.

        Nothing that the pack does not hold is removed: producers' objects stay as they are, and a kill costs
        nothing. Raises GitFailed when an object cannot be read: then everything stays.
        """
        into = str(self._objects / "pack" / "pack")
        words = ("pack-objects", "--revs", "--unpacked", "--incremental", "--non-empty", "--quiet", into)
        refs = [BRANCH, SEALS] if self.sealed(CHECKPOINT) is not None else [BRANCH]
        self.git.run(*words, send=_lines(refs))
        self.git.run("prune-packed", "--quiet")

    def content_at(self, commit: str, path: str) -> bytes | None:
        """The file as the commit holds it, None when the commit or the file is gone."""
        try:
            return self.git.run("cat-file", "blob", f"{commit}:{path}") if commit else None
        except GitFailed:
            return None

    def read(self, path: str) -> bytes:
        """The file as it stands in the work tree; raises FileDamage. Needs no lock: files change whole."""
        return files.read(self.root, path)

    def has_link(self, path: str) -> bool:
        return files.has_link(self.root, path)

    def _content(self, path: str) -> bytes | None:
        """What stands in the work tree, None where it cannot be read."""
        try:
            return self.read(path)
        except files.FileDamage:
            return None

    def _keep_edited(self, path: str, content: bytes | None, at: datetime) -> None:
        """What stands there and git has never seen is somebody's own; what a kill left behind is known to
        git."""
        if content is not None and not self._store.holds(blob_id(content)):
            self.edited(path, keep_content(self.root, path, content, at), at)

    def _blobs(self, head: str, paths: Iterable[str]) -> Mapping[str, str]:
        if not head:
            return {}
        seen = self._seen.setdefault(head, {})
        asked = [*paths]
        if unknown := [path for path in asked if path not in seen]:
            found = self._store.blobs(head, unknown)
            seen.update({path: found.get(path, "") for path in unknown})
        return {path: seen[path] for path in asked if seen[path]}

    def _stage(self, contents: Mapping[str, bytes]) -> Mapping[str, Path]:
        with disk_errors(self._staging.name):
            self._staging.mkdir(exist_ok=True)
        copies = {path: self._staging / str(number) for number, path in enumerate(sorted(contents))}
        for path, copy in copies.items():
            files.write(copy, contents[path])
        return copies

    def _commit(
        self,
        contents: Mapping[str, bytes],
        head: str,
        message: str,
        at: datetime,
        copies: Iterable[Path],
    ) -> str:
        """The commit, once it, and what is to move into the work tree, are on the disk."""
        commit = self._store.commit(contents, head, message, at, copies)
        self.intend(commit)
        crash_point("before-ref")
        self._store.move(commit, head, "handoff")
        return commit

    def catch_up(self) -> None:
        """Have git's index list what the branch holds where it only lags behind; one that somebody else
        touched stays as it is. Needs `locked()`. Raises GitFailed."""
        if self.index.stood_at():
            self._list(self.head())

    def _list(self, head: str) -> None:
        older = self.index.stood_at()
        if not head or older == head:
            return
        crash_point("before-index")
        self._store.list_since(older, head)
        crash_point("before-memory")
        self.index.now_at(head)

    def add_to_index(self, contents: Mapping[str, bytes]) -> None:
        """Put files into git and its index, not into the branch. Needs `locked()`."""
        copies = self._stage(contents)
        names = _lines(str(copy) for copy in copies.values())
        blobs = self.git.line("hash-object", "-w", "--no-filters", "--stdin-paths", send=names).split()
        entries = (f"100644 {blob}\t{path}\0" for path, blob in zip(copies, blobs, strict=True))
        self.git.run("update-index", "-z", "--index-info", send="".join(entries).encode())

    def _clear_leftovers(self) -> None:
        repository = f"{self.root}/.git"
        with disk_errors(repository):
            for lock in _locks(repository):
                lock.unlink(missing_ok=True)
            for left in _files_in(self._staging):
                left.unlink(missing_ok=True)

    def _create_once(self) -> None:
        config = self.root / ".git" / "config"
        if config.is_file() and _READY in config.read_text(errors="replace"):
            return
        with disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        self.git.run("init", "--quiet", "--template=", "--initial-branch=main")
        for key, value in SETTINGS:
            self.git.run("config", key, value)
        self.git.run("config", "orchestrator.layout", "1")


def _locks(repository: str) -> Iterator[Path]:
    """Lock files of git, of whoever was killed; those of the producers' branches are their own."""
    yield from (Path(repository, name) for name in _names_in(repository) if name.endswith(".lock"))
    for folder, below, names in os.walk(f"{repository}/refs"):
        if folder == f"{repository}/refs" and "inbox" in below:
            below.remove("inbox")
        yield from (Path(folder, name) for name in names if name.endswith(".lock"))


def _files_in(folder: Path) -> Iterator[Path]:
    return (folder / name for name in _names_in(str(folder)))


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _loose_ref(path: str) -> str:
    """The commit that a ref's own file names, or "": then git knows better (packed, damaged, none).

    Raises WorkspaceUnavailable when the disk does not tell: that is not the same as no branch.
    """
    with disk_errors(os.path.basename(path)):
        try:
            with open(path, "rb") as file:
                commit = file.read(COMMIT_LENGTH + 2).strip().decode("ascii", "replace")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return ""
    return commit if COMMIT_NAME.fullmatch(commit) else ""


def blob_id(content: bytes) -> str:
    """The name git gives these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _lines(items: Iterable[str]) -> bytes:
    return "".join(f"{item}\n" for item in items).encode()
