"""Files of the work tree: written whole or not at all, never through a symbolic link, and read with suspicion
(EC-3).

Every path is opened folder by folder without following links, so nothing outside the workspace can be
reached.
"""

import errno
import itertools
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from orchestrator.core.errors import WorkspaceUnavailable

#: How folders are opened. The workspace itself may be a link: an operator may keep it on another disk.
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class FileDamage(Exception):
    """A file that cannot be used as it stands; the message is a sentence without the path ("is missing")."""


@contextmanager
def disk_errors(path: Path | str) -> Iterator[None]:
    """Disk errors (full, broken, read-only, no permission) become WorkspaceUnavailable that names
    the path.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise WorkspaceUnavailable(
            f"The workspace cannot be written at {path}: {reason}.", path=str(path)
        ) from error


@contextmanager
def parent_folder(root: Path, path: str, *, create: bool) -> Iterator[tuple[int, str]]:
    """(descriptor of the folder that holds `path`, its last name). Raises OSError when a link or file is in
    the way.
    """
    *folders, name = path.split("/")
    current = os.open(root, FOLDER & ~os.O_NOFOLLOW)
    try:
        for folder in folders:
            if create:
                _make_folder(folder, current)
            following = os.open(folder, FOLDER, dir_fd=current)
            os.close(current)
            current = following
        yield current, name
    finally:
        os.close(current)


def _make_folder(name: str, within: int) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=within)
    except FileExistsError:
        return
    os.fsync(within)


def make_room(root: Path, paths: Iterable[str]) -> None:
    """Make the folders above the paths; refuse when something that is not a plain file stands at one."""
    for some in _by_folder(paths):
        with disk_errors(some[0]), parent_folder(root, some[0], create=True) as (folder, _):
            for path in some:
                kind = _kind(path.rpartition("/")[2], folder)
                if kind is not None and not stat.S_ISREG(kind):
                    reason = "a symbolic link or folder is in the way; remove it"
                    raise WorkspaceUnavailable(
                        f"The workspace cannot be written at {path}: {reason}.", path=path
                    )


def _by_folder(paths: Iterable[str]) -> Collection[list[str]]:
    """Those of each folder together, which is opened once for all of them."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[0], []).append(path)
    return found.values()


def place(copies: Mapping[str, Path], root: Path) -> None:
    """Move finished files to their paths, each in one step; a reader sees the old file or the new one."""
    for paths in _by_folder(copies):
        with disk_errors(paths[0]), parent_folder(root, paths[0], create=True) as (folder, _):
            for path in paths:
                os.replace(copies[path], path.rpartition("/")[2], dst_dir_fd=folder)
            os.fsync(folder)


def write(path: Path, content: bytes) -> None:
    """Write a file that is not waited for: `to_disk` does that, for several at once."""
    with disk_errors(path), path.open("wb") as file:
        file.write(content)


def write_durably(path: Path, content: bytes) -> None:
    write(path, content)
    to_disk([path])


#: Threads that wait, each for its share of the files: more of them cost more processor time and wait longer.
AT_ONCE = 8


def to_disk(paths: Collection[Path | str]) -> None:
    """Wait until files and folders are on the disk, with the names in those folders.

    All of them at once: a file system writes together what is asked for together, where one after another
    each takes a turn of its own (nine files with their folders: 5 ms for 55).
    """
    wanted = list(dict.fromkeys(paths))
    shares = [wanted[first::AT_ONCE] for first in range(min(AT_ONCE, len(wanted)))]
    several = _waiters_of(os.getpid()).map if len(shares) > 1 else map
    for _ in several(_sync_each, shares):
        pass


@cache
def _waiters_of(_process: int) -> ThreadPoolExecutor:
    """Those of this process: threads do not come along into a forked one."""
    return ThreadPoolExecutor(AT_ONCE, "to-disk")


def _sync_each(paths: Iterable[Path | str]) -> None:
    for path in paths:
        _sync(path)


def _sync(path: Path | str) -> None:
    with disk_errors(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read(root: Path, path: str, limit: int = -1) -> bytes:
    """The file's bytes; FileDamage when it is missing, unreadable, no plain file or larger than `limit`
    bytes.

    No file is too large for a limit of -1. A file whose owner may not read it counts as unreadable even for
    root, who could: executors are not root.
    """
    try:
        with parent_folder(root, path, create=False) as (folder, name):
            descriptor = os.open(
                name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
            )
            with os.fdopen(descriptor, "rb") as file:
                mode = os.fstat(descriptor).st_mode
                if not stat.S_ISREG(mode):
                    raise FileDamage("is not a plain file")
                if not mode & stat.S_IRUSR:
                    raise FileDamage("cannot be read: its permissions forbid it")
                content = file.read(limit + 1 if limit >= 0 else -1)
                if 0 <= limit < len(content):
                    raise FileDamage(f"is larger than {limit} bytes")
                return content
    except FileNotFoundError:
        raise FileDamage("is missing") from None
    except (IsADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise FileDamage("is not a plain file") from None
    except OSError as error:
        if error.errno == errno.ELOOP:  # the system says "Too many levels of symbolic links", and means one
            raise FileDamage("is a symbolic link, which is not followed") from None
        raise FileDamage(f"cannot be read: {error.strerror}") from error


def has_link(root: Path, path: str) -> bool:
    """Whether a symbolic link stands at the path or above it, inside the workspace."""
    places = itertools.accumulate(path.split("/"), lambda above, name: above / name, initial=root)
    return any(place.is_symlink() for place in itertools.islice(places, 1, None))


def _kind(name: str, folder: int) -> int | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None
