"""What a new attempt does with the worktree of its lane."""

from collections.abc import Sequence

from orchestrator.adapters.keeping import keep_leftovers
from orchestrator.adapters.merging import MergeState, bring_together
from orchestrator.adapters.worktree import Worktree


def begin(tree: Worktree, commits: Sequence[str] = ()) -> MergeState:
    with tree.alone():
        known = tree.known(commits)
        keep_leftovers(tree, tree.branch, [tree.base_head(), *known])
        tree.check_out()
        return bring_together(tree, known)
