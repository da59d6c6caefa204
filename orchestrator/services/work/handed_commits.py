"""What a completion hands in of the plan's repository: the commit it names, or what stands in its worktree
(BX-1, FR-027, BX-5).

Asked before the act's transaction, because git may take its time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Q

from orchestrator.adapters.commits import files_touched, ref_head
from orchestrator.adapters.merging import MergeConflict, contains_all, go_on, marked
from orchestrator.adapters.worktree import Worktree
from orchestrator.core.engine.contention import globs_overlap
from orchestrator.core.errors import InvalidInput, Refusal
from orchestrator.core.terms import AttemptStatus, PlaceState
from orchestrator.models import Attempt, Executor, OwnedFiles, StepResource, TouchedFile, WorkPlace
from orchestrator.queries.handoff.worktrees import STANDS
from orchestrator.queries.work.baseline import base_branch_of
from orchestrator.queries.work.places import pushed_ref
from orchestrator.queries.work.proof import files_of_step
from orchestrator.services.base.history import speaks_of
from orchestrator.services.base.locks import in_transaction
from orchestrator.services.handoff.commits import named_commit
from orchestrator.services.work.places import clashed_in, commits_of, tree_of

#: Files that nobody owns which are told of one attempt.
TOUCHED_KEPT = 200
#: Files and patterns that a refusal names.
NAMED = 5
#: Seconds to wait for other work on the repository while a transaction stands open.
PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The full id of the `commit`, empty for none. `committed` says that the orchestrator made it of what
    stood in the worktree; `touched` are files in it that neither the step nor its lane owns. `standing` is
    what a command that proves the step runs on: the commit, or where nothing was done what it builds on."""

    commit: str = ""
    committed: bool = False
    touched: tuple[str, ...] = ()
    standing: str = ""


def hand_in(attempt_id: int, token: int, executor: Executor, word: str) -> HandedIn | Refusal:
    """The commit that a completion names, or else the one that is made of its worktree; or why it cannot be
    the attempt's work. A worktree is only looked into for whoever holds the attempt."""
    named = named_commit(attempt_id, word)
    if isinstance(named, Refusal):
        return named
    rows = Attempt.objects.select_related(
        "task__step__thread", "task__workstream__version", "place", "assignment"
    )
    attempt = rows.filter(pk=attempt_id).first()
    if attempt is None or not attempt.base:
        return HandedIn(named, standing=named)
    try:
        return _of_place(attempt, named, _holds(attempt, token, executor))
    except Refusal as refusal:
        return refusal


def keep(handed: HandedIn, attempt: Attempt) -> None:
    """Write what was seen, in the transaction of the completion."""
    touched = [TouchedFile(attempt=attempt, path=path) for path in handed.touched[:TOUCHED_KEPT]]
    speaks_of(*TouchedFile.objects.bulk_create(touched))
    stood = WorkPlace.objects.filter(attempt=attempt, state__in=STANDS)
    stood.update(committed=handed.committed, state=PlaceState.READY, merging="")


def _holds(attempt: Attempt, token: int, executor: Executor) -> bool:
    held = getattr(attempt, "assignment", None)
    return (
        held is not None
        and attempt.status == AttemptStatus.RUNNING
        and held.released_at is None
        and (held.executor_id, held.token) == (executor.pk, token)
    )


def _of_place(attempt: Attempt, named: str, holds: bool) -> HandedIn:
    place: WorkPlace | None = getattr(attempt, "place", None)
    if place is not None and (place.state not in STANDS or not holds):
        place = None
    commit, committed = named, False
    if place is not None:
        place.attempt = attempt
        if named:
            _refuse_half_merged(place, named)
        else:
            commit, committed = _committed(place)
    standing = commit or (place.start if place else "") or attempt.base
    if not commit:
        return HandedIn(standing=standing)
    files, owned = _files_of(attempt, commit, place), files_of_step(attempt.task.step)
    foreign = tuple(path for path in files if not _is_owned(path, owned)) if owned else ()
    if named and foreign and len(foreign) == len(files) and _is_of_others(attempt, commit, place, files):
        raise _of_another_step(attempt, commit, foreign, owned)
    return HandedIn(commit, committed, foreign, standing)


def _refuse_half_merged(place: WorkPlace, commit: str) -> None:
    """While a merge stands open, the commit has to be one that holds all that is merged."""
    if place.state != PlaceState.CONFLICT:
        return
    tree, before = tree_of(place), commits_of(place)
    if not contains_all(tree, commit, before):
        raise MergeConflict(
            f"{commit[:12]} does not hold all of the work before the step: {_named(place)}.",
            commit=commit,
        )
    if marks := marked(tree, commit, clashed_in(place)):
        raise MergeConflict(f"The marks of the conflict are still in {', '.join(marks)}.", path=marks[0])


def _committed(place: WorkPlace) -> tuple[str, bool]:
    """What stands in the worktree as a commit, and whether it was made now; none where nothing was done
    beyond what came before."""
    tree = tree_of(place)
    if in_transaction():  # an idempotency key's: whoever works on the repository may wait for it
        tree = replace(tree, patience=PATIENCE)
    if not tree.is_made:
        return "", False
    before = commits_of(place)
    if place.state == PlaceState.CONFLICT:
        _finish_merge(place, tree, before)
    head = tree.head()
    step, number = place.attempt.task.step, place.attempt.number
    commit = tree.commit(f"{step.key}: {step.title}\n\nattempt {number}, committed from the worktree")
    if commit in (place.base, *before):
        return "", False
    return commit, commit != head or place.state == PlaceState.CONFLICT


def _finish_merge(place: WorkPlace, tree: Worktree, before: list[str]) -> None:
    with tree.alone():
        standing = go_on(tree, before, place.merging, clashed_in(place))
    if standing.merging:
        files = ", ".join(clash.path for clash in standing.clashes[:20])
        raise MergeConflict(
            f"The merge of {standing.merging[:12]} is not resolved: {files}.",
            path=standing.clashes[0].path,
            commit=standing.merging,
        )


def _files_of(attempt: Attempt, commit: str, place: WorkPlace | None) -> list[str]:
    """The files of the attempt's own commits."""
    branch = base_branch_of(attempt.task.workstream)
    if branch is None:
        return []
    without = {attempt.base, branch.head(), *(commits_of(place) if place else ())}
    known = [one for one in branch.find_all(sorted(without)) if one]
    return files_touched(branch.repository, commit, known)


def _is_of_others(attempt: Attempt, commit: str, place: WorkPlace | None, files: Sequence[str]) -> bool:
    """Whether all of these files are given to other steps, and the commit neither stands in the attempt's own
    worktree nor was pushed for it."""
    step = attempt.task.step
    given = Q(thread__batch__stage__version=step.version_id) & ~Q(thread=step.thread_id)
    lanes = OwnedFiles.objects.filter(given).values_list("pattern", flat=True)
    own = StepResource.objects.filter(step__version=step.version_id, is_files=True).exclude(step=step)
    patterns = [*lanes, *own.values_list("name", flat=True)]
    if not all(_is_owned(path, patterns) for path in files):
        return False
    branch = base_branch_of(attempt.task.workstream)
    if place is None or branch is None:
        return True
    tree = tree_of(place)
    heads = [tree.head() if tree.is_made else "", ref_head(branch.repository, pushed_ref(place))]
    return not any(branch.follows(head, commit) for head in heads)


def _of_another_step(attempt: Attempt, commit: str, files: Sequence[str], owned: Sequence[str]) -> Refusal:
    return InvalidInput(
        f"The commit {commit[:12]} changes nothing but {', '.join(files[:NAMED])}, which other steps own; "
        f"{attempt.task.step.key} owns {', '.join(owned[:NAMED])}.",
        recovery="Name the commit that has the work of this step, or none: then what stands in its worktree "
        "counts. Where the step has to change other files, commit them in its worktree.",
        field="commit",
    )


def _is_owned(path: str, patterns: Sequence[str]) -> bool:
    return any(globs_overlap(path, pattern) for pattern in patterns)


def _named(place: WorkPlace) -> str:
    return ", ".join(f"{key} ({commit[:12]})" for key, commit in place.commits.values_list("key", "commit"))
