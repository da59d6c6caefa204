"""What of the history is sealed, and the hashes of its tree, from the rows that hold them (FR-009)."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection
from django.db.models import Max

from orchestrator.core.errors import NotFound
from orchestrator.core.sealing.merkle import Nodes
from orchestrator.core.sealing.tiles import WIDTH, nodes_in
from orchestrator.models import HistoryCheckpoint, HistoryEntry, HistoryTile

#: Entries that are read at a time.
CHUNK = 2_000


class Leaf(NamedTuple):
    """What the tree needs of an entry: its bytes and the hash that is stored beside them."""

    sequence: int
    leaf: str
    leaf_hash: str


def newest_checkpoint() -> HistoryCheckpoint | None:
    return HistoryCheckpoint.objects.order_by("-size").first()


def checkpoint_behind(sequence: int) -> HistoryCheckpoint | None:
    """The first checkpoint that covers an entry; None while none does."""
    return HistoryCheckpoint.objects.filter(size__gte=sequence).order_by("size").first()


def unsealed() -> int:
    """How many entries no checkpoint covers yet; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT COALESCE(MAX(sequence), 0) FROM orchestrator_historyentry) - "
            "(SELECT COALESCE(MAX(size), 0) FROM orchestrator_historycheckpoint)"
        )
        return int(cursor.fetchone()[0])


def entries_sealed() -> int:
    return HistoryCheckpoint.objects.aggregate(size=Max("size"))["size"] or 0


def leaves_after(sequence: int) -> Iterator[Leaf]:
    """The leaves behind an entry, oldest first. What one statement sees is what was committed: entries take
    their numbers behind a lock that is held to the commit, so it is a beginning of the history and has no
    gap."""
    rows = HistoryEntry.objects.filter(sequence__gt=sequence).order_by("sequence")
    for row in rows.values_list("sequence", "leaf", "leaf_hash").iterator(chunk_size=CHUNK):
        yield Leaf(*row)


def tile_hashes(level: int, number: int, width: int = WIDTH) -> bytes:
    """The first `width` hashes of a tile, or as many as there are. A full tile is a row of its own; those
    of the last one of a level are the roots of the full tiles below it, or the hashes of entries."""
    if width == WIDTH:
        full = HistoryTile.objects.filter(level=level, number=number).values_list("hashes", flat=True).first()
        if full is not None:
            return bytes(full)
    first = number * WIDTH
    if level:
        below = HistoryTile.objects.filter(level=level - 1, number__gte=first, number__lt=first + width)
        return b"".join(bytes(root) for root in below.order_by("number").values_list("root", flat=True))
    entries = HistoryEntry.objects.filter(sequence__gt=first, sequence__lte=first + width)
    return bytes.fromhex("".join(entries.order_by("sequence").values_list("leaf_hash", flat=True)))


def stored_nodes() -> Nodes:
    """The nodes of the tree as the tables hold it, each tile read once."""
    return nodes_in(tile_hashes)


#: The most bytes of an entry that the layout of a bundle can hold.
LONGEST = 0xFFFF


def bundle(number: int, width: int = WIDTH) -> bytes:
    """The entries below a tile of level 0, each behind its length in two bytes. NotFound where one is
    longer than that can say: an export has it."""
    first = number * WIDTH
    rows = HistoryEntry.objects.filter(sequence__gt=first, sequence__lte=first + width).order_by("sequence")
    entries = [leaf.encode() for leaf in rows.values_list("leaf", flat=True)]
    if any(len(entry) > LONGEST for entry in entries):
        raise NotFound(
            "One of these entries is longer than a bundle can hold.",
            recovery="manage.py verify_history --export writes every entry, however long.",
        )
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
