"""Where a lane works: the folder of its worktree and its branch (WF-4, BX-1)."""

from orchestrator.core.plans.plan import slugify


def lane_folder(lane: str, worktree: str = "") -> str:
    """The name of the worktree's folder: the plan's own, else the id of the lane."""
    parts = [part for part in worktree.split("/") if part not in ("", ".")]
    return slugify(parts[-1] if parts else lane)


def lane_branch(workstream: str, folder: str) -> str:
    """The branch of a worktree; `workstream` is a slug."""
    return f"ws/{workstream}/{folder}"
