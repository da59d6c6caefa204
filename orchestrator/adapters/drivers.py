"""Programs that a repository's configuration names for its files, and which the files themselves ask for by
attribute.

`.gitattributes` is part of the work, so whoever hands in work would choose which of them runs on what. None
of them does: files are taken as they are, and merged by git itself.
"""

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from orchestrator.adapters.repository import git

_DRIVER: Final = re.compile(r"(filter|merge)\.(.+)\.([^.]+)", re.DOTALL)
#: How git merges two texts without a driver, as a command.
PLAIN_MERGE: Final = "git merge-file %A %O %B"


def disarmed(repository: Path, git_dir: Path) -> Sequence[str]:
    """The `-c` words with which git runs none of the drivers that the configuration of a repository names."""
    files = (
        repository / ".git" / "config",
        repository / ".git" / "config.worktree",
        git_dir / "config.worktree",
    )
    return _disarmed(repository, git_dir, tuple(_state(file) for file in files))


@lru_cache(maxsize=64)
def _disarmed(repository: Path, git_dir: Path, _states: tuple[tuple[int, int], ...]) -> Sequence[str]:
    named = git(repository, "config", "--list", "--name-only", "-z", git_dir=git_dir)
    found = {match.group(1, 2) for name in named.split("\0") if (match := _DRIVER.fullmatch(name))}
    return tuple(word for kind, driver in sorted(found) for word in _without(kind, driver))


def _without(kind: str, driver: str) -> Iterator[str]:
    values = (
        {"driver": PLAIN_MERGE}
        if kind == "merge"
        else {"clean": "", "smudge": "", "process": "", "required": "false"}
    )
    for key, value in values.items():
        yield from ("-c", f"{kind}.{driver}.{key}={value}")


def _state(file: Path) -> tuple[int, int]:
    try:
        told = os.stat(file)
    except OSError:
        return (0, 0)
    return (told.st_mtime_ns, told.st_size)
