"""Proofs checked as RFC 9162 tells a verifier to, for the tests of those that make them; what ships is
`proofs/verify.py`."""

from collections.abc import Sequence

from orchestrator.core.sealing.merkle import EMPTY, node_hash


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that the leaf with this hash stands at `index` of the tree (RFC 9162,
    2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(one, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, one)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def grows(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the second tree begins with the first (RFC 9162, 2.1.4.2). Everything
    begins with the empty tree."""
    if old == 0:
        return old_root == EMPTY and not proof
    if old == new:
        return old_root == new_root and not proof
    if not 0 < old < new:
        return False
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    small = large = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            small, large = node_hash(one, small), node_hash(one, large)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            large = node_hash(large, one)
        place, last = place >> 1, last >> 1
    return last == 0 and small == old_root and large == new_root
