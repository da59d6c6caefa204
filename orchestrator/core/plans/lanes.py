"""Where a lane works: the folder of its worktree and its branch (WF-4, BX-1)."""

from pathlib import PurePosixPath

from orchestrator.core.plans.plan import slugify


def lane_folder(lane: str, worktree: str = "") -> str:
    """The name of the worktree's folder: the plan's own, else the id of the lane."""
    return slugify(PurePosixPath(worktree).name if worktree else lane)


def lane_branch(workstream: str, folder: str) -> str:
    """The branch of a worktree; `workstream` is a slug."""
    return f"ws/{workstream}/{folder}"
