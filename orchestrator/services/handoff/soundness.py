"""The repository's own objects stay sound: the sweep finds flipped bytes, and what they held is mended (F21).

Files come from the record or the work tree, folders from git's index, byte for byte. Where that does not make
the branch whole again (an older commit or folder is gone), it begins anew with everything that was handed
over: no workstream waits for history that git has lost.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff.damage import workspace
from orchestrator.services.handoff.divergence import name_commits, recorded_files
from orchestrator.services.handoff.known_branch import note_head, refuse_diverged_writer
from orchestrator.services.sealing.anchors import seal_anew
from orchestrator.workspace import FileDamage, Workspace
from orchestrator.workspace.branch import give_back, is_whole, listed, write_again, write_folders
from orchestrator.workspace.git import GitFailed
from orchestrator.workspace.scrub import Damage, Scrub

logger = logging.getLogger(__name__)


def keep_sound(*, now: datetime, whole: bool = False) -> bool:
    """Read the next part of the repository, or the `whole` of it, and mend what is damaged; whether anything
    was.

    Nothing waits for it: what cannot be mended now is logged, and the next sweep tries again. Call it outside
    a transaction.
    """
    space = workspace()
    scrub = Scrub(space)
    if not (scrub.all() if whole else scrub.some()) and not scrub.unfinished:
        return False
    try:
        with space.locked():
            damages = scrub.all()
            if damages or scrub.unfinished:
                _mend(space, scrub, damages, now)
                scrub.mended()
    except WorkspaceUnavailable as refusal:
        logger.warning("The workspace was not mended: %s", refusal.message)
        return False
    return True


def _mend(space: Workspace, scrub: Scrub, damages: Sequence[Damage], now: datetime) -> None:
    """Under the workspace's lock.

    A kill leaves objects that are missing and a mark, so the next run does the rest.
    """
    known = refuse_diverged_writer(space, now)
    head = space.head()
    scrub.set_aside(damages)
    _give_back_files(space)
    with suppress(GitFailed):
        write_folders(space)
    whole = not head or is_whole(space, head)
    if not whole:
        write_again(space, recorded_files(), "Written again from the record\n", now, above="")
    if (seals := space.seals_head()) and not is_whole(space, seals):
        seal_anew(space, now=now)
    with unit_of_work():
        if (after := space.head()) != known.head and after:
            note_head(after)
        if not whole:
            name_commits(space, after, now)
        record(
            workstream=None,
            actor=ORCHESTRATOR,
            action=Action.WORKSPACE_MENDED if whole else Action.BRANCH_WRITTEN_AGAIN,
            subject=f"{len(damages)} damaged "
            f"{'pack or object' if len(damages) == 1 else 'packs and objects'}",
            reason=_said(whole),
            now=now,
            data={"damaged": [damage.name for damage in damages[:100]], "before": head, "after": after},
        )


def _said(whole: bool) -> str:
    if whole:
        return "Bytes of git's own files had changed. What they held is written again; the branch is whole."
    return (
        "Bytes of git's own files had changed, and a commit or folder of the past was lost with them. "
        "The branch begins anew with everything that was handed over."
    )


def _give_back_files(space: Workspace) -> None:
    """What was handed over, from the record; the rest of what the branch lists, from the work tree."""
    for part in recorded_files():
        give_back(space, part.values())
    for path, name in listed(space):
        with suppress(FileDamage):
            give_back(space, [space.read(path)], only=name)
