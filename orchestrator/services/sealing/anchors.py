"""What is sealed is committed to a branch of the workspace, so that every clone is a witness (FR-009, F8).

The branch `history` holds the newest checkpoint and the tiles of its tree, as C2SP `tlog-tiles` lays them
out: hashes alone, nothing of what entries say. It only ever goes on. The database is sealed first, so the
branch is never ahead of it, unless an older database was restored: then nothing is signed before somebody
has looked.
"""

import logging
from datetime import datetime

from django.conf import settings

from orchestrator.core.errors import WrongState
from orchestrator.core.sealing.merkle import root_between
from orchestrator.core.sealing.notes import BadNote, Head, read_head, read_note
from orchestrator.core.sealing.tiles import CHECKPOINT, new_tiles, outgrown
from orchestrator.models import HistoryCheckpoint
from orchestrator.queries.base.sealed import entries_sealed, stored_nodes, tile_hashes
from orchestrator.services.base.locks import outside_transactions
from orchestrator.services.sealing.keys import is_right, key_ring
from orchestrator.services.sealing.seals import LOOK, crash_point, seal
from orchestrator.workspace import Workspace
from orchestrator.workspace.branch import is_whole
from orchestrator.workspace.git import GitFailed

logger = logging.getLogger(__name__)


def seal_and_anchor(*, now: datetime) -> HistoryCheckpoint | None:
    """Seal what was committed, and commit the seal to the workspace; the newest checkpoint.

    Running it again, after a kill anywhere, ends in the same (F7, F8). Call it outside a transaction.
    Raises WrongState as `seal` does, and WorkspaceUnavailable: what is sealed stays so, and is anchored the
    next time.
    """
    outside_transactions()
    space = Workspace(settings.WORKSPACE_DIR)
    with space.locked():
        return seal_in(space, now=now)


def seal_in(space: Workspace, *, now: datetime) -> HistoryCheckpoint | None:
    """The same for whoever holds the workspace's lock."""
    try:
        anchored = anchored_head(space)
    except GitFailed as damage:
        if is_whole(space, space.seals_head()):
            raise  # git has everything; it only could not be read just now
        logger.warning("The seals in the workspace are written anew: %s", damage)
        return seal_anew(space, now=now)
    sealed = entries_sealed()
    if anchored and anchored.size > sealed:
        raise WrongState(
            f"The workspace has a checkpoint over {anchored.size} entries, this database one over {sealed}: "
            "an older database was restored, or seals were removed from it.",
            recovery="Restore the newer database, or set its seals aside on the page Workspace; until then "
            "nothing more is signed. " + LOOK,
        )
    newest = seal(now=now)
    if newest is not None and (anchored is None or anchored.size < newest.size):
        crash_point("before-anchor")
        _anchor(space, anchored, newest, now)
    return newest


def seal_anew(space: Workspace, *, now: datetime) -> HistoryCheckpoint | None:
    """Seal, and begin the branch anew: git has lost objects of the one that is there (F21). Needs the
    workspace's lock."""
    newest = seal(now=now)
    if newest is not None:
        _anchor(space, None, newest, now, anew=True)
    return newest


def seals_fit(space: Workspace) -> bool:
    """Whether the history goes on from what the branch's checkpoint says; not so after an older database was
    put in force."""
    try:
        anchored = anchored_head(space)
    except WrongState:
        return False
    return anchored is None or _begins_with(anchored)


def set_aside(space: Workspace) -> str:
    """After an older database was put in force: the branch with seals that it does not know is kept under
    the name that is answered, and a new one begins; "" when the branch fits. Needs the workspace's lock."""
    return "" if seals_fit(space) else space.keep_seals()


def _begins_with(head: Head) -> bool:
    """Whether the history, as far as it is sealed, begins with what a checkpoint says."""
    if head.size > entries_sealed():
        return False
    return head.size == 0 or root_between(stored_nodes(), 0, head.size) == head.root


def anchored_head(space: Workspace) -> Head | None:
    """What the branch's checkpoint says; None while there is none. Raises WrongState for one that is not this
    history's."""
    content = space.sealed(CHECKPOINT)
    if content is None:
        return None
    try:
        note = read_note(content.decode())
        if not note.signed_by(key_ring().public, is_right):
            raise BadNote("None of the keys of this history signed it.")
        return read_head(note.text)
    except (BadNote, UnicodeDecodeError) as problem:
        raise WrongState(
            f"The checkpoint in the workspace's branch `history` is not this history's: {problem}",
            recovery=LOOK,
        ) from problem


def _anchor(
    space: Workspace,
    anchored: Head | None,
    newest: HistoryCheckpoint,
    now: datetime,
    *,
    anew: bool = False,
) -> None:
    old = anchored.size if anchored else 0
    if anchored and not _begins_with(anchored):
        raise WrongState(
            f"The first {old} entries of the history are not those of the checkpoint in the workspace.",
            recovery=LOOK,
        )
    files = {tile.path: tile_hashes(*tile) for tile in new_tiles(old, newest.size)}
    files[CHECKPOINT] = newest.note.encode()
    gone = [tile.path for tile in outgrown(old, newest.size)]
    space.seal(files, gone, f"{newest.size} entries sealed\n", now, anew=anew)
