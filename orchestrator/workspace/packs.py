"""A repository as two files, for backups: its branches and tags, and one pack with everything they reach.

Objects are never changed and never taken away while the orchestrator works, so the pack may be written after
the branches were read, with everybody writing on (FR-009).
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace.git import SETTINGS, Git, GitFailed, given, text

#: What producers push is theirs: a broken branch of theirs is left out, and holds up no backup.
INBOX: Final = b" refs/inbox/"


def refs_of(root: Path) -> bytes:
    """Every branch, tag and other ref of the repository in `root/.git`, a line each: the object, the name.
    Raises WorkspaceUnavailable."""
    return Git(root).run("for-each-ref", "--format=%(objectname) %(refname)")


def head_of(root: Path) -> str:
    """The ref that HEAD names, or "" where it names none that is text."""
    try:
        name = Git(root).line("symbolic-ref", "--quiet", "HEAD")
        return name.encode().decode()
    except (GitFailed, UnicodeError):
        return ""


def write_pack(root: Path, refs: bytes, into: Path) -> bytes:
    """Write everything that the refs reach into one pack, or no file where there are none; answers with the
    refs that are in it. Raises WorkspaceUnavailable."""
    try:
        _pack(root, refs, into)
    except GitFailed:
        without = b"".join(line + b"\n" for line in _lines(refs) if INBOX not in line)
        if without == refs:
            raise
        _pack(root, without, into)
        return without
    return refs


def _pack(root: Path, refs: bytes, into: Path) -> None:
    objects = dict.fromkeys(line.split(b" ", 1)[0] for line in _lines(refs))
    if not objects:
        return
    send = b"".join(one + b"\n" for one in objects)
    made = Git(root).line("pack-objects", "--revs", "--quiet", "--delta-base-offset", str(into), send=send)
    into.with_name(f"{into.name}-{made}.pack").replace(into)
    for left in into.parent.glob(f"{into.name}-{made}.*"):
        left.unlink()


def read_pack(root: Path, pack: Path) -> None:
    """Take the objects of a pack into the repository, each one checked. Raises WorkspaceUnavailable."""
    if not pack.is_file():
        return
    folder = root / ".git" / "objects" / "pack"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / "pack-restored.pack"
        shutil.copyfile(pack, copy)
    except OSError as problem:
        raise WorkspaceUnavailable(f"The pack {pack.name} cannot be copied: {problem.strerror}.") from problem
    name = Git(root).line("index-pack", "--strict", str(copy))
    for one in sorted(folder.glob("pack-restored.*")):
        one.rename(folder / f"pack-{name}{one.suffix}")


def make_repository(root: Path) -> None:
    """An empty repository whose folder is not there yet, or only just. Raises WorkspaceUnavailable."""
    root.mkdir(parents=True, exist_ok=True)
    git = Git(root)
    git.run("init", "--quiet", "--template=", "--initial-branch=main")
    for key, value in SETTINGS:
        git.run("config", key, value)


def put_refs(root: Path, refs: bytes, head: str) -> None:
    """Give a new repository its refs, and its work tree the files of HEAD. Raises WorkspaceUnavailable."""
    git = Git(root)
    create = b"".join(b"create " + name + b"\0" + one + b"\0" for one, name in named(refs))
    git.run("update-ref", "-z", "--stdin", send=create)
    if head:
        git.run("symbolic-ref", "HEAD", head)
    if head.encode() in {name for _, name in named(refs)}:
        git.run("read-tree", "--reset", "-u", "HEAD")


def add_refs(root: Path, refs: bytes, under: str) -> tuple[int, int]:
    """Give a repository that is there the refs that it lacks; what it has otherwise stays, and what the
    backup says of it stands below `refs/<under>/`. How many were missing, and how many differ. Raises
    WorkspaceUnavailable."""
    there = {name: one for one, name in named(refs_of(root))}
    missing = [(one, name) for one, name in named(refs) if name not in there]
    differing = [(one, name) for one, name in named(refs) if there.get(name, one) != one]
    send = b"".join(b"create " + name + b"\0" + one + b"\0" for one, name in missing)
    for one, name in differing:
        beside = b"refs/" + given(under) + b"/" + name.removeprefix(b"refs/")
        send += b"update " + beside + b"\0" + one + b"\0\0"
    Git(root).run("update-ref", "-z", "--stdin", send=send)
    return len(missing), len(differing)


def named(refs: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Object and name of each ref."""
    for line in _lines(refs):
        one, _, name = line.partition(b" ")
        yield one, name


def _lines(refs: bytes) -> list[bytes]:
    return [line for line in refs.split(b"\n") if line]


def object_of(refs: bytes, name: str) -> str:
    """What a ref of that name stands at, or ""."""
    return next((text(one) for one, ref in named(refs) if ref == name.encode()), "")
