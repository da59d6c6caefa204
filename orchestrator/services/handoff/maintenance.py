"""Upkeep of the workspace repository: loose objects are packed now and then, under the workspace's lock
(F21).

git's own garbage collection is off: it would run inside a commit, and remove what producers have not named
yet.
"""

import logging

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.services.handoff.damage import workspace

#: Loose objects above which a sweep packs; git's own limit is about the same.
DUE = 6000

logger = logging.getLogger(__name__)


def maintain(*, due: int = DUE) -> bool:
    """Pack the workspace when about `due` objects or more stand alone; whether it did.

    Nothing waits for it: when git cannot, that is logged, everything stays, and the next sweep tries again.
    """
    space = workspace()
    if space.loose_objects() < max(due, 1) or not space.head():
        return False
    try:
        with space.locked():
            space.pack()
    except WorkspaceUnavailable as refusal:
        logger.warning("The workspace was not packed: %s", refusal.message)
        return False
    return True
