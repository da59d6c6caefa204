"""What the machine says of itself: processes, folders and the disk, for the page Operating."""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from orchestrator.sandbox import layers

#: Most files that are counted for a size; what is larger is told as "more than".
MOST_FILES: Final = 50_000


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """A process that `serve` started; `since` is when. `alive` says whether its group is there now."""

    name: str
    pid: int
    since: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class FolderSize:
    """Files and their bytes; `complete` is false where there were more files than are counted."""

    files: int
    size: int
    complete: bool


def tools_told(sandbox: str) -> str:
    """What keeps tools where they are, in one sentence."""
    return layers.told(sandbox)


def processes(folder: Path) -> list[ProcessSeen]:
    """By the files that the supervisor keeps in `run`, in the order of their names."""
    seen = []
    for path in sorted(folder.glob("*.pid")):
        try:
            text, since = path.read_text(encoding="ascii"), path.stat().st_mtime
        except (OSError, ValueError):
            continue  # it ended between the two looks
        if text.isdigit():
            at = datetime.fromtimestamp(since, tz=UTC)
            seen.append(ProcessSeen(path.stem, int(text), at, _is_alive(int(text))))
    return seen


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def folder_size(folder: Path) -> FolderSize:
    """Of everything below a folder; links count for themselves. What cannot be read counts nothing."""
    files = size = 0
    for above, _, names in os.walk(folder):
        for name in names:
            files += 1
            if files > MOST_FILES:
                return FolderSize(files - 1, size, complete=False)
            try:
                size += os.lstat(os.path.join(above, name)).st_size
            except OSError:
                continue
    return FolderSize(files, size, complete=True)


def free_space(folder: Path) -> tuple[int, int]:
    """(free, all) bytes of the disk that a folder is on; zeros when it does not tell."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return 0, 0
    return usage.free, usage.total
