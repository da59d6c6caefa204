"""Whose branch is looked at next, and for how long: junk in one costs the others a turn and no more.

Requirements: FR-029.
"""

import time
from collections.abc import Sequence

from django.core.cache import cache
from django.db import transaction
from django_q.tasks import async_task

from orchestrator.workspace.result_branches import Branch

LAST = "orchestrator.result_branches.last"
WAITING = "orchestrator.result_branches.waiting"
#: Seconds that a message to go on is waited for before another one is sent.
PATIENCE = 60


class Turn:
    """The time of one run."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._end


def in_turn(branches: Sequence[Branch]) -> Sequence[Branch]:
    """The same ones, beginning behind the branch that was looked at last.

    What the cache forgets costs a turn.
    """
    last = cache.get(LAST, "") if len(branches) > 1 else ""
    later = [branch for branch in branches if branch.name > last]
    return [*later, *(branch for branch in branches if branch.name <= last)]


def had_its_turn(branch: Branch) -> None:
    cache.set(LAST, branch.name, None)


def go_on_later() -> None:
    """Ask the queue for another run; one message waits at most."""
    if cache.add(WAITING, True, PATIENCE):
        transaction.on_commit(lambda: async_task("orchestrator.processes.tasks.collect"))


def going_on() -> None:
    """The message has come; the next one may be sent."""
    cache.set(WAITING, False, 0)
