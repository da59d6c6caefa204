"""The commit that a completion names: a word of the caller's until the plan's repository knows it.

Requirements: FR-027, BX-1.
"""

from orchestrator.adapters.base_branch import BaseBranch
from orchestrator.core.errors import InvalidInput, Refusal
from orchestrator.core.git_names import is_commit_word
from orchestrator.models import Attempt, Task
from orchestrator.queries.work.baseline import base_branch_of


def commit_word(word: str) -> str:
    """The word in small letters, if it can be a commit's id at all.

    Nothing else is stored, or given to git.
    """
    small = word.strip().lower()
    if not is_commit_word(small):
        raise InvalidInput(
            f"“{word[:80]}” is not a commit: give its id, 4 to 64 of 0-9 and a-f.", field="commit"
        )
    return small


def base_at_claim(task: Task, number: int) -> str:
    """Where the base branch stood when the task was first claimed: what its work has to build on. Another
    attempt may go on with the work of an earlier one, so it keeps that one's base. Empty where no repository
    is at hand."""
    branch = base_branch_of(task.workstream)
    if branch is None:
        return ""
    earlier = Attempt.objects.filter(task=task).exclude(base="") if number > 1 else Attempt.objects.none()
    first = earlier.order_by("number").values_list("base", flat=True).first()
    return first or branch.head()


def named_commit(attempt_id: int, word: str) -> str | Refusal:
    """The full id of the commit that a completion names, or why it cannot be the attempt's work.

    Where no repository is at hand a possible id is taken as it is: there it is a note for people, and when it
    comes to git later it is looked up first. Asked before the act locks anything, because git may take its
    time.
    """
    if not word.strip():
        return ""
    try:
        small = commit_word(word)
        rows = Attempt.objects.select_related("task__workstream__version")
        attempt = rows.filter(pk=attempt_id).first()
        branch = base_branch_of(attempt.task.workstream) if attempt else None
        if attempt is None or branch is None:
            return small
        full = branch.find(small)
        if not full:
            raise InvalidInput(
                f"The repository “{branch.repository.name}” has no commit {small}.",
                recovery="Push it to the ref `push_to` of the brief, then complete the attempt again.",
                field="commit",
            )
        _refuse_foreign(branch, full, attempt.base)
    except Refusal as refusal:
        return refusal
    return full


def _refuse_foreign(branch: BaseBranch, commit: str, base: str) -> None:
    """A base that the branch was reset away from asks for nothing but the same history."""
    if base and branch.follows(commit, base):
        return
    if branch.is_related(commit) and not (base and branch.holds(base)):
        return
    where = f"{base[:12]}, where {branch.name} stood when the step was begun" if base else branch.name
    raise InvalidInput(
        f"The commit {commit[:12]} does not descend from {where}.",
        recovery=f"Merge {branch.name} into your branch or rebase onto it, then complete with the "
        f"new commit.",
        field="commit",
    )
