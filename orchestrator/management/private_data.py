"""What is in `DATA_DIR` is for the orchestrator's own account, and for nobody else on the machine."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: What others must not do: read, write or enter.
OTHERS: Final = 0o077
#: Folders whose files are narrowed one by one; in all others the folder itself keeps everybody out.
SMALL: Final = ("logs", "run", "cache")


def narrow(folder: Path) -> list[Path]:
    """Take away what others may do with the folder and what lies in it; answers with what was open to them.

    PermissionError where a file belongs to somebody else: it cannot be kept private, which the operator has
    to know.
    """
    return [path for path in _inside(folder) if _narrowed(path)]


def _inside(folder: Path) -> Iterator[Path]:
    yield folder
    for path in sorted(folder.iterdir()):
        yield path
        if path.name in SMALL and path.is_dir() and not path.is_symlink():
            yield from sorted(path.rglob("*"))


def _narrowed(path: Path) -> bool:
    """A link is left alone: where it leads to is not ours. What has just gone needs nothing."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or not found.st_mode & OTHERS:
            return False
        os.chmod(path, stat.S_IMODE(found.st_mode) & ~OTHERS)
    except FileNotFoundError:
        return False
    return True
