"""Where a lane works: the folder of its worktree and its branch (WF-4, BX-1)."""

import re
from typing import Final

from orchestrator.core.git_names import is_branch_name
from orchestrator.core.plans.plan import slugify

#: Folder of the worktrees of one workstream; seed 002 calls them `.worktrees/WS-A`.
LANES_FOLDER: Final = ".worktrees"
_FOLDER_LENGTH: Final = 60
_KEY_LENGTH: Final = 40
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]+")


def lane_folder(lane: str, worktree: str = "") -> str:
    """The name of the worktree's folder: the plan's own, else the id of the lane.

    Written as the plan writes it, where it can be a folder and a branch everywhere.
    """
    parts = [part for part in worktree.split("/") if part not in ("", ".")]
    said = parts[-1] if parts else lane
    plain = _ODD.sub("-", said)[:_FOLDER_LENGTH].strip("-.")
    return plain if plain and is_branch_name(plain) else slugify(said)


def own_folder(folder: str, key: str) -> str:
    """The folder of a step that works beside others of its lane."""
    told = slugify(key)[:_KEY_LENGTH]
    return f"{folder[: _FOLDER_LENGTH - 1 - len(told)].rstrip('-.')}-{told}"


def lane_worktree(folder: str) -> str:
    """What plan, brief and dashboard call the worktree."""
    return f"{LANES_FOLDER}/{folder}"


def lane_branch(workstream: str, folder: str) -> str:
    """The branch of a worktree; `workstream` is a slug."""
    return f"ws/{workstream}/{folder}"
