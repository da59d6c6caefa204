"""Gives a run's folders to the user that the tool runs as, where root starts it."""

import os
from collections.abc import Iterable, Sequence


def give(folders: Iterable[str], user: int, *, but: Sequence[str] = ()) -> None:
    """Make everything below the folders the user's, without following a link; `but` are paths that stay as they are."""
    for top in folders:
        for folder, _, files, descriptor in os.fwalk(top, follow_symlinks=False):
            _give(".", user, descriptor)
            for name in files:
                if f"{folder}/{name}" not in but:
                    _give(name, user, descriptor)


def _give(name: str, user: int, folder: int) -> None:
    if os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid != user:
        os.chown(name, user, user, dir_fd=folder, follow_symlinks=False)
