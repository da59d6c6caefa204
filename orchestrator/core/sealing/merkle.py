"""The Merkle tree of RFC 6962: hashes of leaves and nodes, roots, and both kinds of proof (FR-009).

Hashes are 32 raw bytes. A tree of `size` leaves has its leaf `index` at places 0 to `size - 1`. What reads
hashes of a tree that is stored elsewhere asks a `Nodes`: the hash of the complete subtree of 2^height
leaves that is the `number`-th of its height.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

#: (height, number) -> hash of the complete subtree that covers the leaves from number * 2^height on.
Nodes = Callable[[int, int], bytes]

#: Leaves, a power of two, that are added to a tree at a time.
TOGETHER: Final = 256
#: The root of a tree without a leaf.
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees at the right edge of a tree that grows: all that appending needs to know.

    `peaks` has one hash for each bit that is set in `size`, the largest subtree first.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} peaks, not {len(self.peaks)}.")

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        self._add(leaf, 1)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add the hashes of the next leaves, as many at a time as are a subtree of their own."""
        start = 0
        while left := len(leaves) - start:
            own = min(self.size & -self.size or TOGETHER, TOGETHER)
            while own > left:
                own >>= 1
            self._add(root_of(leaves[start : start + own]), own)
            start += own

    def _add(self, peak: bytes, leaves: int) -> None:
        """A subtree of 2^n leaves behind what is a multiple of it."""
        full = self.size // leaves
        while full & 1:
            peak = node_hash(self.peaks.pop(), peak)
            full >>= 1
        self.peaks.append(peak)
        self.size += leaves

    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(hashes: Iterable[bytes]) -> bytes:
    """The root of a tree by the hashes of its leaves."""
    row = list(hashes)
    while len(row) > 1:
        last = row[-1:] if len(row) % 2 else []
        row = [*map(node_hash, row[::2], row[1::2]), *last]
    return row[0] if row else EMPTY


def root_between(nodes: Nodes, start: int, end: int) -> bytes:
    """The root of the leaves from `start` to before `end`; `start` is a place at which a subtree begins."""
    size = end - start
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return nodes(height, start >> height)
    middle = start + _half(size)
    return node_hash(root_between(nodes, start, middle), root_between(nodes, middle, end))


def peaks_of(nodes: Nodes, size: int) -> list[bytes]:
    """The hashes that a `Frontier` of this size goes on from."""
    peaks, start = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            peaks.append(nodes(height, start >> height))
            start += 1 << height
    return peaks


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The hashes by which leaf `index` leads to the root of the first `size` leaves (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    return _path(nodes, index, 0, size)


def _path(nodes: Nodes, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _half(end - start)
    if index < middle:
        return [*_path(nodes, index, start, middle), root_between(nodes, middle, end)]
    return [*_path(nodes, index, middle, end), root_between(nodes, start, middle)]


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """The hashes by which a tree of `new` leaves is shown to begin with one of `old` (RFC 6962, 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"A tree of {new} leaves does not go on from one of {old}.")
    return _subproof(nodes, old, 0, new, whole=True)


def _subproof(nodes: Nodes, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [root_between(nodes, start, end)]
    middle = start + _half(end - start)
    if old <= middle:
        return [
            *_subproof(nodes, old, start, middle, whole=whole),
            root_between(nodes, middle, end),
        ]
    return [*_subproof(nodes, old, middle, end, whole=False), root_between(nodes, start, middle)]


def _half(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
