"""Sealing: a signed checkpoint says how many entries the history has and which root their tree has
(FR-009).

An act pays nothing for it: a task of the queue seals what was committed, at latest a second or 256 entries
later, and whoever publishes what a person decided has it sealed before. The hashes are checked on the way,
so what was changed behind the last checkpoint is found before it is signed.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from orchestrator.core.errors import WrongState
from orchestrator.core.sealing.chain import leaf_hash
from orchestrator.core.sealing.merkle import Frontier, Nodes, peaks_of
from orchestrator.core.sealing.notes import BadNote, Head, SignedNote, read_head, read_note
from orchestrator.core.sealing.tiles import BYTES, WIDTH, root_of_tile
from orchestrator.models import HistoryCheckpoint, HistoryTile
from orchestrator.queries.base.sealed import leaves_after, newest_checkpoint, stored_nodes, tile_hashes
from orchestrator.services.base.locks import Lock, take
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.sealing.keys import KeyRing, is_right, key_ring, signed

#: What to do about a history that is not what was signed.
LOOK = "manage.py verify_history names the first bad thing; the guide's chapter about proofs says what then."


def crash_point(name: str) -> None:
    """A place where tests kill the process; does nothing otherwise."""


def seal(*, now: datetime) -> HistoryCheckpoint | None:
    """Sign a checkpoint over everything that is committed; the newest one, or None while there is no entry.

    In a transaction of its own that takes `Lock.SEALER`: a second sealer waits, then finds nothing to do
    (F31). Nobody who writes history waits for it. A kill before the commit leaves nothing, and the next
    call signs (F7). Raises WrongState when the history is not what was signed before, or the key file is
    not the one that signed it (F33).
    """
    with unit_of_work():
        take(Lock.SEALER)
        last = newest_checkpoint()
        fresh = _grown(last)
        if fresh.size == (last.size if last else 0):
            return last
        ring = key_ring(make=last is None)
        if last is not None:
            _refuse_wrong_key(ring, last)
        crash_point("before-signing")
        head = Head(ring.origin, fresh.size, fresh.root())
        note = SignedNote(head.text, (signed(head.text, ring.private),))
        crash_point("before-seal")
        return HistoryCheckpoint.objects.create(
            size=head.size, root=head.root.hex(), note=str(note), sealed_at=now
        )


def _grown(last: HistoryCheckpoint | None) -> Frontier:
    """The right edge of the tree with all that is committed; full tiles are stored on the way."""
    old = last.size if last else 0
    frontier = Frontier(old, peaks_of(stored_nodes(), old)) if last else Frontier()
    if last and frontier.root().hex() != last.root:
        raise WrongState(
            f"The first {old} entries of the history are not those that were sealed.", recovery=LOOK
        )
    started = tile_hashes(0, old // WIDTH, old % WIDTH) if old % WIDTH else b""
    tiles, hashes = [], bytearray(started)
    for one in _new_hashes(old):
        frontier.append(one)
        hashes += one
        if len(hashes) == WIDTH * BYTES:
            tiles.append(_tile(0, frontier.size // WIDTH - 1, bytes(hashes)))
            hashes.clear()
    _store(tiles, old, frontier.size)
    return frontier


def _new_hashes(old: int) -> Iterator[bytes]:
    for expected, leaf in enumerate(leaves_after(old), start=old + 1):
        if leaf.sequence != expected:
            raise WrongState(f"Entry {expected} of the history is missing.", recovery=LOOK)
        if leaf_hash(leaf.leaf.encode()) != leaf.leaf_hash:
            raise WrongState(f"Entry {expected} of the history does not match its hash.", recovery=LOOK)
        yield bytes.fromhex(leaf.leaf_hash)


def _tile(level: int, number: int, hashes: bytes) -> HistoryTile:
    return HistoryTile(level=level, number=number, hashes=hashes, root=root_of_tile(hashes))


def _store(tiles: list[HistoryTile], old: int, new: int) -> None:
    """Store full tiles of entries, and those of the levels above that they complete."""
    level = 0
    while tiles:
        HistoryTile.objects.bulk_create(tiles, batch_size=100)
        level += 1
        span = WIDTH ** (level + 1)
        tiles = [
            _tile(level, number, tile_hashes(level, number)) for number in range(old // span, new // span)
        ]


def _refuse_wrong_key(ring: KeyRing, last: HistoryCheckpoint) -> None:
    """The key has to be the one that signed last, or to have it among those that it follows."""
    try:
        note = read_note(last.note)
        known = note.signed_by(ring.public, is_right)
        right = bool(known) and read_head(note.text) == Head(ring.origin, last.size, bytes.fromhex(last.root))
    except (BadNote, ValueError):
        right = False
    if not right:
        raise WrongState(
            "The key file does not belong to this history: the checkpoint over "
            f"{last.size} entries was signed with another key.",
            recovery="Put the right key file back; nothing is signed until then.",
        )


class Sealed(NamedTuple):
    """A tree that is sealed: what its checkpoint says, the note, and its nodes."""

    head: Head
    note: str
    nodes: Nodes


def sealed_tree() -> Sealed | None:
    """The newest checkpoint with the tree below it; None while nothing is sealed."""
    last = newest_checkpoint()
    if last is None:
        return None
    return Sealed(read_head(read_note(last.note).text), last.note, stored_nodes())
