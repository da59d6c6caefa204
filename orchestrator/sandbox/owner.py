"""Gives a run's folders to the user that the tool runs as, where root starts it."""

import os
from collections.abc import Iterable, Sequence


def give(folders: Iterable[str], user: int, *, but: Sequence[str] = ()) -> None:
    """Make everything below the folders the user's, without following a link.

    `but` are files that stay their owner's; the user may read them, as any program does that walks through
    its folder.
    """
    for top in folders:
        for folder, _, files, descriptor in os.fwalk(top, follow_symlinks=False):
            _give(".", user, descriptor)
            for name in files:
                if f"{folder}/{name}" in but:
                    _let_read(name, descriptor)
                else:
                    _give(name, user, descriptor)


def _give(name: str, user: int, folder: int) -> None:
    if os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid != user:
        os.chown(name, user, user, dir_fd=folder, follow_symlinks=False)


def _let_read(name: str, folder: int) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.fchmod(descriptor, os.fstat(descriptor).st_mode & 0o777 | 0o444)
    finally:
        os.close(descriptor)
