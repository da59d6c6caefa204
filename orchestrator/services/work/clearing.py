"""Worktrees and branches that nobody needs any more: of accepted and archived workstreams, and of steps that
a later version dropped (BX-1). The sweep takes them away, after all that is in them was kept under a ref.
"""

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q

from orchestrator.adapters.keeping import take_away
from orchestrator.adapters.repository import RepositoryFailed, locked
from orchestrator.adapters.worktree import RepositoryMissing, Worktree
from orchestrator.core.errors import Refusal, WrongState
from orchestrator.core.terms import AttemptStatus, PlaceState, TaskStatus, WorkstreamStatus
from orchestrator.models import WorkPlace, Workstream
from orchestrator.queries.handoff.worktrees import STANDS, worktree_in

logger = logging.getLogger(__name__)

_CLOSED = (WorkstreamStatus.COMPLETED, WorkstreamStatus.ARCHIVED)


def clear_places(*, now: datetime) -> int:
    """Take away what nobody needs; how many worktrees went. Trouble with one does not hold up the others."""
    cleared = 0
    for workstream, folder in _over():
        try:
            cleared += _clear(workstream, folder, now)
        except Refusal as refusal:
            logger.warning("%s: the worktree %s stays: %s", workstream.slug, folder, refusal.message)
        except Exception:
            logger.exception("%s: the worktree %s stays.", workstream.slug, folder)
    return cleared


def _over() -> Iterator[tuple[Workstream, str]]:
    """Workstreams with the folders of theirs in which something is over."""
    over = Q(attempt__task__workstream__status__in=_CLOSED) | Q(attempt__task__status=TaskStatus.CANCELLED)
    stood = WorkPlace.objects.filter(over, state__in=STANDS)
    for pk, folder in sorted(set(stood.values_list("attempt__task__workstream", "folder"))):
        yield Workstream.objects.select_related("version").get(pk=pk), folder


def _clear(workstream: Workstream, folder: str, now: datetime) -> bool:
    """Asked behind the repository's lock whether somebody needs it: a claim makes its place there."""
    tree = worktree_in(workstream, folder)
    with locked(tree.lock, _a_tool_is_there), tree.alone():
        places = WorkPlace.objects.filter(
            attempt__task__workstream=workstream, folder=folder, state__in=STANDS
        )
        needed = places.filter(attempt__status=AttemptStatus.RUNNING)
        open_work = places.exclude(attempt__task__workstream__status__in=_CLOSED)
        if needed.exists() or open_work.exclude(attempt__task__status=TaskStatus.CANCELLED).exists():
            return False
        kept = take_away(tree, f"{tree.branch}/{now:%Y%m%dT%H%M%SZ}", _in_the_base(tree))
        places.update(state=PlaceState.REMOVED, merging="", taken_to=kept)
        tree.lock.unlink(missing_ok=True)
    return True


def _a_tool_is_there() -> None:
    raise WrongState("A tool still runs in it.")


def _in_the_base(tree: Worktree) -> tuple[str, ...]:
    """The head of the base branch needs no other name; none where the branch is gone."""
    try:
        return (tree.base_head(),)
    except (RepositoryMissing, RepositoryFailed):
        return ()
