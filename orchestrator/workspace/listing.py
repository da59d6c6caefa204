"""What is there: every file and folder of the work tree, of the branch and of git's index (LC-12).

Links are listed and never followed; what stands in the repository's own folder is left out.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.core.files.consistency import FileStanding
from orchestrator.workspace.files import FileDamage, disk_errors
from orchestrator.workspace.repository import Workspace, blob_id


@dataclass
class WorkTree:
    """Paths relative to the workspace. Names that are no text have surrogates in them."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def work_tree(space: Workspace) -> WorkTree:
    """Raises WorkspaceUnavailable when a folder cannot be read."""
    tree = WorkTree()
    with disk_errors(space.root.name):
        for path, is_folder in _entries(space.root, ""):
            (tree.folders if is_folder else tree.files).append(path)
    return tree


def _entries(folder: Path, below: str) -> Iterator[tuple[str, bool]]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if not below and entry.name == ".git":
            continue
        path = f"{below}{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        yield path, is_folder
        if is_folder:
            yield from _entries(folder / entry.name, f"{path}/")


def standing(space: Workspace, path: str) -> FileStanding:
    """The digests of a file as it stands, or why it cannot be used."""
    try:
        content = space.read(path)
    except FileDamage as damage:
        return FileStanding(problem=str(damage))
    return FileStanding(hashlib.sha256(content).hexdigest(), blob_id(content))


def branch_files(space: Workspace) -> dict[str, str]:
    """Path -> blob of every file of the branch. Raises GitFailed."""
    head = space.head()
    return _blobs(space.git.run("ls-tree", "-r", "-z", head), 2) if head else {}


def index_files(space: Workspace) -> dict[str, str]:
    """Path -> blob of every entry of git's index. Raises GitFailed."""
    return _blobs(space.git.run("ls-files", "-s", "-z"), 1) if (space.root / ".git").is_dir() else {}


def _blobs(told: bytes, place: int) -> dict[str, str]:
    """Of lines `mode … blob … TAB path`; the blob stands at this place."""
    rows = [line.partition(b"\t") for line in told.split(b"\0") if line]
    return {path.decode(errors="surrogateescape"): meta.split(b" ")[place].decode() for meta, _, path in rows}
