"""Git's objects, its branch and its index, read and written in this process by libgit2: no git is started.

A commit is written in the order that survives any crash: blobs, trees, commit, branch, index. What has to be
known before the branch moves is told before that. Everything that writes needs the workspace's lock.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import pygit2
from pygit2.enums import ConfigLevel, DeltaStatus, FileMode, RepositoryOpenFlag, SortMode

from orchestrator.workspace.files import disk_errors, to_disk
from orchestrator.workspace.git import IDENTITY, GitFailed

BRANCH: Final = "refs/heads/main"
#: What libgit2 raises: its own errors, and for some of them Python's.
ERRORS: Final = (pygit2.GitError, KeyError, ValueError, OSError)

# As for the git that is started elsewhere: no configuration of a user or of the machine counts, and the
# folder is the one that the operator names, whoever owns it.
for _level in (ConfigLevel.GLOBAL, ConfigLevel.XDG, ConfigLevel.SYSTEM, ConfigLevel.PROGRAMDATA):
    pygit2.settings.search_path[_level] = ""
pygit2.settings.owner_validation = False


class _Disk:
    waits = True


def wait_for_the_disk(wait: bool) -> None:
    """Whether objects and the branch have to be on the disk before the next step; as a rule they have to."""
    _Disk.waits = wait


@contextmanager
def branch_on_disk() -> Iterator[None]:
    """Have libgit2 wait for the disk before a branch's new file takes the place of the old one. Not so for
    objects, where it would wait for each by itself. The workspace's lock keeps other writers away."""
    pygit2.settings.enable_fsync_gitdir(_Disk.waits)
    try:
        yield
    finally:
        pygit2.settings.enable_fsync_gitdir(False)


@contextmanager
def library_errors(act: str) -> Iterator[None]:
    """What libgit2 cannot do becomes GitFailed, as if git had said so."""
    try:
        yield
    except ERRORS as error:
        said = str(error.args[0]) if error.args else type(error).__name__
        raise GitFailed(act, said.split("\n")[0]) from error


class Store:
    """The repository in `root/.git`, which has to exist before anything is asked of it."""

    def __init__(self, root: Path) -> None:
        self._folder = root / ".git"
        self._opened: pygit2.Repository | None = None
        #: Objects that were written and may not be on the disk yet.
        self._fresh: list[pygit2.Oid] = []

    @property
    def _repository(self) -> pygit2.Repository:
        if self._opened is None:
            self._opened = pygit2.Repository(str(self._folder), RepositoryOpenFlag.NO_SEARCH)
            self._opened.set_ident(*IDENTITY)
        return self._opened

    def head(self) -> str:
        """The branch's commit, or "" while there is none that can be read."""
        try:
            return str(self._repository.references[BRANCH].resolve().target)
        except ERRORS:
            return ""

    def blobs(self, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """Path -> name of the content, for each path at which a commit holds a file whose content git still
        has. Raises GitFailed."""
        with library_errors("read"):
            tree = self._tree_of(commit)
            entries = {path: _entry(tree, path) for path in paths}
            blobs = {path: entry.id for path, entry in entries.items() if isinstance(entry, pygit2.Blob)}
            return {path: str(blob) for path, blob in blobs.items() if blob in self._repository}

    def holds(self, name: str) -> bool:
        """Whether git has an object of this name, on the branch or not."""
        with library_errors("read"):
            return pygit2.Oid(hex=name) in self._repository

    def commit(
        self,
        contents: Mapping[str, bytes],
        head: str,
        message: str,
        at: datetime,
        beside: Iterable[Path] = (),
    ) -> str:
        """Write a commit behind `head` ("" is none) that holds these files beside those of `head`; the branch
        stays where it is. Answers with its name when all of it is on the disk, together with the files
        `beside`. Raises GitFailed, WorkspaceUnavailable."""
        with library_errors("commit"):
            tree = self._grown(self._tree_of(head) if head else None, self._stored(contents))
            commit = self._made(tree, [head] if head else [], message, at)
        self._to_disk(beside)
        return str(commit)

    def _stored(self, contents: Mapping[str, bytes]) -> dict[str, pygit2.Oid]:
        blobs = {path: self._repository.create_blob(content) for path, content in contents.items()}
        self._fresh += blobs.values()
        return blobs

    def _made(self, tree: pygit2.Oid, parents: list[str], message: str, at: datetime) -> pygit2.Oid:
        by = pygit2.Signature(*IDENTITY, int(at.timestamp()), 0)
        commit = self._repository.create_commit(None, by, by, message, tree, parents)
        self._fresh.append(commit)
        return commit

    def _to_disk(self, beside: Iterable[Path] = ()) -> None:
        """Wait for what was written since the last call. An object that was there already may be of a writer
        that was killed before it waited, so it is waited for too, unless it is packed."""
        fresh, self._fresh = self._fresh, []
        paths: list[Path | str] = [*beside]
        if _Disk.waits and fresh:
            objects = f"{self._folder}/objects"
            named = [(f"{objects}/{name[:2]}", name[2:]) for name in map(str, fresh)]
            loose = [(folder, file) for folder, name in named if os.path.exists(file := f"{folder}/{name}")]
            paths += [objects, *(part for place in loose for part in place)]
        if paths:
            to_disk(paths)

    def move(self, commit: str, head: str, why: str) -> None:
        """Have the branch stand at a commit; GitFailed when it stands at `head` no more ("" is nowhere)."""
        with library_errors("update-ref"), branch_on_disk():
            if not head:
                self._repository.create_reference_direct(BRANCH, pygit2.Oid(hex=commit), False, why)
                return
            branch = self._repository.references[BRANCH]
            if str(branch.target) != head:
                raise GitFailed("update-ref", f"{BRANCH} stands at {branch.target}, not at {head}")
            branch.set_target(commit, why)

    def have_at(self, ref: str, contents: Mapping[str, bytes], message: str, at: datetime) -> bool:
        """Have a branch other than the workspace's own hold exactly these files; whether it did not before.
        What cannot be read of it is begun anew. Raises GitFailed.
        """
        with library_errors("commit"):
            tree, before = self._grown(None, self._stored(contents)), self._commit_at(ref)
            if before is not None and before.tree_id == tree:
                return False
            self._commit_to(ref, tree, before, message, at)
        return True

    def grow_at(
        self,
        ref: str,
        contents: Mapping[str, bytes],
        gone: Iterable[str],
        message: str,
        at: datetime,
        *,
        anew: bool = False,
    ) -> None:
        """Commit files beside those of a branch other than the workspace's own, and without those at the
        paths `gone`. A branch that is not there, or is written `anew`, begins. Raises GitFailed, for one that
        is damaged too."""
        with library_errors("commit"):
            repository = self._repository
            goes_on = ref in repository.references and not anew
            before = repository.references[ref].peel(pygit2.Commit) if goes_on else None
            tree = self._grown(before.tree if before else None, self._stored(contents), gone)
            self._commit_to(ref, tree, before, message, at)

    def _commit_to(
        self, ref: str, tree: pygit2.Oid, before: pygit2.Commit | None, message: str, at: datetime
    ) -> None:
        commit = self._made(tree, [str(before.id)] if before else [], message, at)
        self._to_disk()
        with branch_on_disk():
            self._repository.references.create(ref, commit, force=True)

    def rename(self, ref: str) -> str:
        """Have a branch stand under a name with its commit's in it, which is answered; "" when it is not
        there. Raises GitFailed."""
        with library_errors("update-ref"):
            if ref not in self._repository.references:
                return ""
            kept = f"{ref}-until-{str(self._repository.references[ref].target)[:12]}"
            while kept in self._repository.references:
                kept = f"{kept}-again"
            with branch_on_disk():
                self._repository.references[ref].rename(kept)
        return kept

    def over_time(self, ref: str, path: str) -> Iterator[bytes]:
        """What a file of a branch was in each of its commits that changed it, newest first. Raises
        GitFailed."""
        with library_errors("log"):
            if ref not in self._repository.references:
                return
            seen = None
            for commit in self._repository.walk(
                self._repository.references[ref].target, SortMode.TOPOLOGICAL
            ):
                blob = _entry(commit.tree, path)
                if isinstance(blob, pygit2.Blob) and blob.id != seen:
                    seen = blob.id
                    yield blob.data

    def head_of(self, ref: str) -> str:
        """The commit that a branch stands at, "" where it is not there. Raises GitFailed."""
        with library_errors("show-ref"):
            there = ref in self._repository.references
            return str(self._repository.references[ref].target) if there else ""

    def file_at(self, ref: str, path: str) -> bytes | None:
        """A file of a branch; None when the branch or the file is not there. Raises GitFailed for a damaged
        object."""
        with library_errors("read"):
            if ref not in self._repository.references:
                return None
            found = _entry(self._repository.references[ref].peel(pygit2.Commit).tree, path)
            return found.data if isinstance(found, pygit2.Blob) else None

    def _commit_at(self, ref: str) -> pygit2.Commit | None:
        try:
            found = self._repository.references[ref].peel(pygit2.Commit)
        except ERRORS:
            return None
        return found if isinstance(found, pygit2.Commit) else None

    def list_since(self, older: str, commit: str) -> None:
        """Have git's index, which lists what `older` holds, list what another commit holds; all of it anew
        where it lists nothing that is known ("") or git has lost that commit. Raises GitFailed."""
        with library_errors("read-tree"):
            index = self._repository.index
            if not (older and self._entered(index, older, commit)):
                with disk_errors("index"):
                    (self._folder / "index").unlink(missing_ok=True)
                index.read(True)
                index.clear()
                index.read_tree(self._tree_of(commit))
            index.write()

    def _entered(self, index: pygit2.Index, older: str, commit: str) -> bool:
        """Enter what differs between two commits; false where git cannot tell."""
        try:
            index.read(True)
            differing = self._tree_of(older).diff_to_tree(self._tree_of(commit)).deltas
            for delta in differing:
                if delta.status is DeltaStatus.DELETED:
                    index.remove(delta.old_file.path)
                else:
                    file = delta.new_file
                    index.add(pygit2.IndexEntry(file.path, file.id, file.mode))
        except (*ERRORS, GitFailed):
            return False
        return True

    def _tree_of(self, commit: str) -> pygit2.Tree:
        found = self._repository[commit]
        if not isinstance(found, pygit2.Commit):
            raise GitFailed("read", f"{commit} is no commit")
        return found.tree

    def _grown(
        self, tree: pygit2.Tree | None, blobs: Mapping[str, pygit2.Oid], gone: Iterable[str] = ()
    ) -> pygit2.Oid:
        """The name of a tree that holds these files beside its own, and none at the paths `gone`; only
        folders that change are written, each once, and one that is empty is left out."""
        builder = self._repository.TreeBuilder(tree) if tree else self._repository.TreeBuilder()
        folders: dict[str, tuple[dict[str, pygit2.Oid], list[str]]] = defaultdict(lambda: ({}, []))
        for path, blob in blobs.items():
            name, _, rest = path.partition("/")
            if rest:
                folders[name][0][rest] = blob
            else:
                _refuse_kind(tree, name, pygit2.Blob)
                builder.insert(name, blob, FileMode.BLOB)
        for path in gone:
            name, _, rest = path.partition("/")
            if rest:
                folders[name][1].append(rest)
            elif tree is not None and name in tree:
                builder.remove(name)
        for name, (inside, without) in folders.items():
            standing = _refuse_kind(tree, name, pygit2.Tree)
            made = self._grown(standing, inside, without)
            if inside or len(self._tree(made)):
                builder.insert(name, made, FileMode.TREE)
            elif standing is not None:
                builder.remove(name)
        made = builder.write()
        self._fresh.append(made)
        return made

    def _tree(self, name: pygit2.Oid) -> pygit2.Tree:
        found = self._repository[name]
        assert isinstance(found, pygit2.Tree)
        return found


def _entry(tree: pygit2.Tree, path: str) -> pygit2.Object | None:
    try:
        return tree[path]
    except KeyError:
        return None


def _refuse_kind(tree: pygit2.Tree | None, name: str, kind: type) -> "pygit2.Tree | None":
    """What stands under a name, which has to be of this kind: a file never takes the place of a folder, and
    no folder that of a file."""
    standing = _entry(tree, name) if tree else None
    if standing is not None and not isinstance(standing, kind):
        raise GitFailed("commit", f"{name} is both a file and a folder")
    return standing if isinstance(standing, pygit2.Tree) else None
