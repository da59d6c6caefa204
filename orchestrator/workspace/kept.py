"""Kept copies: what is replaced in the workspace is moved aside, never lost (LC-12).

They stand in the repository's own folder, on the same disk: anything can be moved there whole, a link, a
repository inside the workspace or a folder that is larger than git would take.
"""

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Final

from orchestrator.workspace.files import disk_errors, parent_folder

FOLDER: Final = "kept"


def kept_folder(root: Path, at: datetime) -> Path:
    """Where what is replaced at this time is kept."""
    return root / ".git" / FOLDER / f"{at:%Y%m%dT%H%M%SZ}"


def set_aside(root: Path, path: str, at: datetime) -> str:
    """Move a file, link or folder of the work tree into the kept copies; where it is now, relative to `root`.

    "" when nothing is there. Raises WorkspaceUnavailable.
    """
    target = _free(kept_folder(root, at) / path)
    with disk_errors(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with parent_folder(root, path, create=False) as (folder, name):
                os.rename(name, target, src_dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return ""
    return str(target.relative_to(root))


def keep_content(root: Path, path: str, content: bytes, at: datetime) -> str:
    """Keep a copy of a file whose path is about to be replaced; where it is, relative to `root`."""
    target = _free(kept_folder(root, at) / path)
    with disk_errors(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return str(target.relative_to(root))


def keep_index(root: Path, at: datetime) -> str:
    """Keep a copy of git's index; where it is, relative to `root`, or ""."""
    index = root / ".git" / "index"
    if not index.is_file():
        return ""
    target = _free(kept_folder(root, at) / "git-index")
    with disk_errors("index"):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(index, target)
    return str(target.relative_to(root))


def _free(target: Path) -> Path:
    """A name that nothing has yet."""
    number, free = 1, target
    while os.path.lexists(free):
        number += 1
        free = target.with_name(f"{target.name}.{number}")
    return free
