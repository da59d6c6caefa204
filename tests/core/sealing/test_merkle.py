"""FR-009: roots and proofs are RFC 6962's: its published vectors, and every tree up to a size against the
definition."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.sealing.merkle import (
    EMPTY,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    peaks_of,
    root_of,
)
from tests.core.sealing.checking import grows, includes

#: The leaves of the reference tests of Certificate Transparency, and the roots of the first one to eight
#: of them.
LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
HASHES = [leaf_hash(b"%d" % number) for number in range(70)]


def tree_hash(hashes: Sequence[bytes]) -> bytes:
    """MTH as the RFC defines it."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return hashlib.sha256(b"\x01" + tree_hash(hashes[:half]) + tree_hash(hashes[half:])).digest()


def node(height: int, number: int) -> bytes:
    return tree_hash(HASHES[number << height : (number + 1) << height])


@pytest.mark.parametrize("size", range(1, 9))
def test_fr009_the_published_roots(size: int) -> None:
    assert root_of(leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:size]).hex() == ROOTS[size - 1]


def test_fr009_the_empty_tree() -> None:
    assert Frontier().root() == EMPTY == hashlib.sha256().digest()
    assert grows(0, EMPTY, 5, root_of(HASHES[:5]), [])


@pytest.mark.parametrize("together", [1, 2, 3, 5, 64, 255, 256, 257, 1000])
def test_fr009_a_tree_that_grows_by_many_leaves_is_the_same(together: int) -> None:
    hashes = [leaf_hash(b"%d" % number) for number in range(1000)]
    frontier = Frontier()
    for start in range(0, len(hashes), together):
        frontier.extend(hashes[start : start + together])
        assert frontier.root() == tree_hash(hashes[: start + together])
    assert frontier.size == 1000
    one_by_one = Frontier()
    for one in hashes:
        one_by_one.append(one)
    assert one_by_one.peaks == frontier.peaks


def test_fr009_every_inclusion_is_proved_and_no_other() -> None:
    for size in (1, 2, 3, 7, 8, 33, 64, 70):
        root = tree_hash(HASHES[:size])
        assert Frontier(size, peaks_of(node, size)).root() == root
        for index in range(size):
            proof = inclusion_proof(node, index, size)
            assert includes(HASHES[index], index, size, proof, root)
            assert not includes(HASHES[(index + 1) % 70], index, size, proof, root)
            assert not includes(HASHES[index], index, size, [*proof, root], root)
            if proof:
                assert not includes(HASHES[index], index, size, proof[:-1], root)


def test_fr009_every_growth_is_proved_and_no_other() -> None:
    for new in (1, 2, 5, 8, 37, 70):
        root = tree_hash(HASHES[:new])
        for old in range(1, new + 1):
            before, proof = tree_hash(HASHES[:old]), consistency_proof(node, old, new)
            assert grows(old, before, new, root, proof)
            assert not grows(old, HASHES[0] if old > 1 else HASHES[1], new, root, proof)
            assert not grows(old, before, new, HASHES[69], proof)
            assert not grows(old, before, new, root, [*proof, root])


@given(st.integers(1, 70), st.data())
def test_fr009_a_proof_with_one_bit_changed_proves_nothing(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(node, index, size)
    if proof:
        place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        turned = (int.from_bytes(proof[place], "big") ^ (1 << bit)).to_bytes(32, "big")
        changed = [*proof[:place], turned, *proof[place + 1 :]]
        assert not includes(HASHES[index], index, size, changed, tree_hash(HASHES[:size]))
