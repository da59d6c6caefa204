"""What the workspace holds of the history, compared with what the walk over it found (FR-009)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.conf import settings

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.core.sealing.chain import Breach, Claim
from orchestrator.core.sealing.notes import PublicKey, read_head, read_note
from orchestrator.core.sealing.tiles import CHECKPOINT, WIDTH, new_tiles
from orchestrator.models import HistoryCheckpoint
from orchestrator.queries.base.recorded import UNREADABLE
from orchestrator.queries.base.sealed import tile_hashes
from orchestrator.services.sealing.verifying import Disproved, claim_of, in_words
from orchestrator.services.sealing.workspace_files import files_breach
from orchestrator.workspace import Workspace


class Copy(NamedTuple):
    """What the workspace and the database had at one moment: every checkpoint that the branch `history` ever
    held, newest first, how many entries were sealed, and the sizes of the database's checkpoints."""

    claims: tuple[Claim, ...] = ()
    sealed: int = 0
    sizes: frozenset[int] = frozenset()


def copy_of(keys: Iterable[PublicKey]) -> Copy:
    """Read behind the workspace's lock, so that no seal comes between. Raises Disproved."""
    space = Workspace(settings.WORKSPACE_DIR)
    try:
        with space.locked():
            sizes = frozenset(HistoryCheckpoint.objects.values_list("size", flat=True))
            return Copy(tuple(_anchored_claims(space, keys)), max(sizes, default=0), sizes)
    except WorkspaceUnavailable as problem:
        raise Disproved(f"The workspace cannot be read: {problem.message}") from problem


def _anchored_claims(space: Workspace, keys: Iterable[PublicKey]) -> Iterator[Claim]:
    """The branch only ever grew. Raises Disproved."""
    known, newer = tuple(keys), None
    try:
        for content in space.sealed_over_time(CHECKPOINT):
            who = "a checkpoint of the workspace's branch history"
            claim = claim_of(content.decode(errors="replace"), known, who)
            if newer is not None and claim.size >= newer:
                raise Disproved(f"The workspace's branch history went from {claim.size} entries to {newer}")
            newer = claim.size
            yield Claim(claim.size, claim.root, f"the workspace's checkpoint over {claim.size} entries")
    except WorkspaceUnavailable as problem:
        raise Disproved(f"The workspace's branch history cannot be read: {problem.message}") from problem


def workspace_breach(copy: Copy) -> Breach | None:
    """The first thing in the workspace that is not what the tables say, after the walk found those good: a
    checkpoint or a tile of the branch `history`, a commit or a file that no act wrote, or one that was handed
    over."""
    space = Workspace(settings.WORKSPACE_DIR)
    try:
        anchored = copy.claims[0].size if copy.claims else 0
        return _seal_breach(copy, anchored) or _tile_breach(space, anchored) or files_breach(space)
    except WorkspaceUnavailable as problem:
        return Breach(0, f"The workspace cannot be read: {problem.message}")
    except UNREADABLE as problem:
        return Breach(0, f"The workspace cannot be compared with the tables: {in_words(problem)}")


def _seal_breach(copy: Copy, anchored: int) -> Breach | None:
    """Both sides have the same checkpoints, but for those of the database that a full disk kept from git."""
    if anchored < copy.sealed:
        said = f"The workspace's branch history ends at {anchored} entries, while {copy.sealed} are sealed"
        return Breach(0, f"{said}; a sweep goes on from there, unless somebody set it back")
    gone = [claim.size for claim in copy.claims if claim.size not in copy.sizes]
    return Breach(0, f"The checkpoint over {min(gone)} entries is gone from the database") if gone else None


def _tile_breach(space: Workspace, anchored: int) -> Breach | None:
    for tile in new_tiles(0, anchored):
        if space.sealed(tile.path) != tile_hashes(*tile):
            if tile.width < WIDTH and _went_on(space, anchored):
                continue  # a seal came meanwhile, and put a longer one in its place
            return Breach(
                0, f"The workspace's {tile.path} of the branch history has other hashes than the entries"
            )
    return None


def _went_on(space: Workspace, anchored: int) -> bool:
    content = space.sealed(CHECKPOINT)
    return content is not None and read_head(read_note(content.decode()).text).size > anchored
