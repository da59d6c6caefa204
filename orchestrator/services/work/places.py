"""Places: every attempt of a plan with a repository gets a worktree and a branch with the work before it
(BX-1, WF-4, FR-028).

Made behind the transaction of the claim, because git may take its time. A place that stands is left as it is:
whoever holds the attempt may have uncommitted work in it. Only a new attempt makes it anew, and then what was
left is kept under a ref first.
"""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from django.db import transaction

from orchestrator.adapters.commits import find_commit
from orchestrator.adapters.keeping import keep_leftovers
from orchestrator.adapters.merging import Clash, MergeState, bring_together, contains_all, go_on, marked
from orchestrator.adapters.repository import RepositoryFailed, locked
from orchestrator.adapters.worktree import Worktree
from orchestrator.contract.places import CommitBefore
from orchestrator.core.errors import InvalidInput, Refusal, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.plans.lanes import lane_branch, lane_worktree
from orchestrator.core.plans.plan import slugify
from orchestrator.core.terms import AttemptStatus, PlaceState, Scope
from orchestrator.models import Attempt, Executor, PlaceClash, PlaceCommit, WorkPlace
from orchestrator.queries.handoff.expected import folder_of
from orchestrator.queries.handoff.worktrees import STANDS, free_folder, worktree_in
from orchestrator.queries.work.commits_before import commits_before
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.locks import Lock, in_transaction
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.work.attempts import held_attempt

logger = logging.getLogger(__name__)

#: Files of a conflict that are recorded; git has all of them.
CLASHES_KEPT = 200


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    only="who holds the attempt, with the role that the step asks for",
    locks=(Lock.WORKSTREAM,),
    in_steps=True,
)
def take_place(
    *, attempt_id: int, token: int, executor: Executor, now: datetime, actor: Actor | None = None
) -> WorkPlace | None:
    """Make the worktree and the branch of a held attempt, or go on with the merge that stands open in it. One
    that is there is left as it is; None where the plan's repository is not on this machine. StaleToken when
    the claim is not the caller's or no longer; RepositoryMissing, RepositoryFailed."""
    actor = actor or Actor.member(executor)
    with unit_of_work():
        attempt = held_attempt(attempt_id, token, executor, actor).attempt
    return prepare(attempt, now) if attempt.base else None


def place_told(attempt: Attempt) -> dict[str, object]:
    """What an entry about a claimed attempt says of where it works: the worktree and the branch that it has,
    or will have once they are made, and the commit that it began at; nothing without a repository."""
    if not attempt.base:
        return {}
    place = WorkPlace.objects.filter(attempt=attempt).first()
    folder = place.folder if place and place.folder else free_folder(attempt)
    base = place.base if place and place.base else attempt.base
    branch = lane_branch(attempt.task.workstream.slug, folder)
    return {"worktree": lane_worktree(folder), "branch": branch, "base": base}


def after_claim(attempt: Attempt, now: datetime) -> None:
    """Make the place of an attempt that was just claimed. What goes wrong is recorded with the place and
    never undoes the claim. Where the claim is a part of another transaction, such as that of its
    idempotency key, it is made behind that one."""
    if not attempt.base:
        return
    if in_transaction():
        transaction.on_commit(lambda: _prepare_quietly(attempt, now))
    else:
        _prepare_quietly(attempt, now)


def _prepare_quietly(attempt: Attempt, now: datetime) -> None:
    try:
        prepare(attempt, now)
    except Refusal as refusal:
        logger.warning("%s has no place: %s", attempt, refusal.message)


def prepare(attempt: Attempt, now: datetime, *, tool_lock: bool = False) -> WorkPlace:
    """The place of a running attempt, made unless it stands; where a conflict was resolved in it, the merges
    go on. `tool_lock` says that the caller holds the lock of the worktree. Called outside transactions.
    Raises RepositoryMissing, RepositoryFailed, which are recorded."""
    with worktree_in(attempt.task.workstream, folder_of(attempt.task.step)).alone():
        place = WorkPlace.objects.filter(attempt=attempt).first()
        if place is None:
            place = WorkPlace(attempt=attempt, prepared_at=now)
        try:
            return _prepared(place, attempt, tool_lock)
        except (Refusal, OSError) as problem:
            refusal = problem if isinstance(problem, Refusal) else _disk_says_no(problem)
            if place.state not in STANDS:
                place.state, place.problem = PlaceState.FAILED, f"{refusal.message} {refusal.way_out}"
                place.save()
            raise refusal from problem


def _disk_says_no(problem: OSError) -> Refusal:
    return RepositoryFailed(f"The worktree could not be written: {problem.strerror}.")


def resolve_with(place: WorkPlace, word: str) -> None:
    """Take a merge commit that was made elsewhere as the resolution of the open merge. InvalidInput for what
    is none, or does not hold both sides."""
    tree = tree_of(place)
    with tree.alone():
        commit = find_commit(tree.repository, word)
        wanted = [one for one in (tree.head(), tree.merging()) if one]
        if not commit or not contains_all(tree, commit, wanted) or marked(tree, commit, clashed_in(place)):
            raise InvalidInput(f"{word[:80]} is no commit that merges both sides.", field="commit")
        tree.start_on(commit)


def commits_of(place: WorkPlace) -> list[str]:
    return list(place.commits.values_list("commit", flat=True))


def clashed_in(place: WorkPlace) -> list[str]:
    """The files of the merge that stands open."""
    return list(place.clashes.filter(merging=place.merging).values_list("path", flat=True))


def tree_of(place: WorkPlace) -> Worktree:
    return worktree_in(place.attempt.task.workstream, place.folder)


def _prepared(place: WorkPlace, attempt: Attempt, tool_lock: bool) -> WorkPlace:
    place.attempt = attempt
    if place.state in STANDS:
        tree = tree_of(place)
        if not tree.is_made:
            tree.bring_back()
        return _go_on(place, tree) if place.state == PlaceState.CONFLICT else place
    if not Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.RUNNING).exists():
        raise WrongState(f"{attempt} is not running, so nobody works on it.")
    place.folder = free_folder(attempt)
    tree = tree_of(place)
    place.branch = tree.branch
    with nullcontext() if tool_lock else locked(tree.lock, _refuse_beside_a_tool):
        return _make(place, tree, commits_before(attempt.task))


def _refuse_beside_a_tool() -> None:
    raise WrongState(
        "A tool of an earlier attempt still runs in the worktree.",
        recovery="Wait until it has ended, then take the place.",
    )


def _make(place: WorkPlace, tree: Worktree, before: Sequence[CommitBefore]) -> WorkPlace:
    """Begin on the head of the base branch, with everything before it; what stood in the worktree is kept."""
    commits = tree.known([one.commit for one in before])
    head = tree.base_head()
    place.kept = keep_leftovers(tree, _kept_name(place), (head, *commits))
    place.base = tree.check_out()
    resolved = _resolved_before(place, tree, commits)
    standing = bring_together(tree, [*([resolved] if resolved else []), *commits])
    with unit_of_work():
        _stand(place, standing)
        PlaceCommit.objects.bulk_create(
            PlaceCommit(place=place, position=number, key=one.key, commit=commit, same_files=one.same_files)
            for number, (one, commit) in enumerate(zip(before, commits, strict=True))
        )
    return place


def _go_on(place: WorkPlace, tree: Worktree) -> WorkPlace:
    standing = go_on(tree, commits_of(place), place.merging, clashed_in(place))
    with unit_of_work():
        _stand(place, standing)
    return place


def _stand(place: WorkPlace, standing: MergeState) -> None:
    """Write how far the place is. The clashes of a resolved merge stay: they say that it was one."""
    place.state = PlaceState.CONFLICT if standing.merging else PlaceState.READY
    place.start, place.merging, place.problem = standing.commit, standing.merging, ""
    place.save()
    if standing.merging:
        _write_clashes(place, standing.clashes)


def _write_clashes(place: WorkPlace, clashes: Sequence[Clash]) -> None:
    """What was told of this merge before stays, also where a part of it is resolved by now."""
    known = set(clashed_in(place))
    PlaceClash.objects.bulk_create(
        PlaceClash(
            place=place,
            merging=place.merging,
            path=one.path,
            base=one.base,
            ours=one.ours,
            theirs=one.theirs,
            binary=one.binary,
        )
        for one in clashes[:CLASHES_KEPT]
        if one.path not in known
    )


def _kept_name(place: WorkPlace) -> str:
    """Named by the attempt that left it, if one of ours did."""
    last = (
        WorkPlace.objects.filter(branch=place.branch)
        .exclude(attempt=place.attempt)
        .order_by("-prepared_at", "-pk")
    )
    left = last.select_related("attempt__task__step").first()
    told = f"{left.attempt.task.step.key}-{left.attempt.number}" if left else "before"
    return f"{place.branch}/{slugify(told)}"


def _resolved_before(place: WorkPlace, tree: Worktree, commits: Sequence[str]) -> str:
    """The commit in which an earlier attempt at the task resolved the same merges, so that nobody resolves
    them twice."""
    earlier = WorkPlace.objects.filter(
        attempt__task=place.attempt.task_id, merging="", clashes__isnull=False
    ).exclude(attempt=place.attempt)
    for one in earlier.exclude(start="").distinct().order_by("-pk"):
        if set(one.commits.values_list("commit", flat=True)) == set(commits):
            return find_commit(tree.repository, one.start)
    return ""
