"""The tamper-evident chain: leaves, their hashes, and how a walk finds the first bad one (FR-009, design
section 6).

A leaf's bytes are the RFC 8785 canonical JSON of its facts; its hash is RFC 6962's `SHA-256(0x00 || bytes)`.
Each leaf names the hash of the previous leaf of its workstream, so a changed, removed or re-ordered entry
breaks the chain.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.core.sealing import merkle


def leaf_hash(leaf: bytes) -> str:
    """RFC 6962's hash of a leaf, as it is stored: 64 hexadecimal digits."""
    return merkle.leaf_hash(leaf).hex()


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as stored: `leaf` and `facts` must say the same, `chain` is the workstream it belongs to."""

    sequence: int
    chain: str
    number: int
    leaf: str
    facts: str
    leaf_hash: str
    previous_hash: str


@dataclass(frozen=True, slots=True)
class Breach:
    """The first bad entry of a walk, and what is wrong with it."""

    sequence: int
    problem: str


def first_breach(links: Iterable[Link]) -> Breach | None:
    """Walk entries in sequence order. Memory is one hash per chain."""
    tips: dict[str, tuple[int, str]] = {}
    expected = 1
    for link in links:
        number, tip = tips.get(link.chain, (0, ""))
        if problem := _problem(link, expected, number + 1, tip):
            return Breach(link.sequence, problem)
        tips[link.chain] = (link.number, link.leaf_hash)
        expected += 1
    return None


def _problem(link: Link, expected: int, number: int, tip: str) -> str:
    if link.sequence != expected:
        return f"entry {expected} is missing: the next one found is {link.sequence}"
    if link.facts != link.leaf:
        return "its columns do not say what was recorded"
    if leaf_hash(link.leaf.encode()) != link.leaf_hash:
        return "its text does not match its hash"
    if link.number != number:
        return f"it is entry {link.number} of its workstream where {number} is due"
    if link.previous_hash != tip:
        return "it does not name the entry before it"
    return ""
