"""The tamper-evident chain: how a walk over the entries finds the first bad one (FR-009, design section 6).

A leaf's bytes are the RFC 8785 canonical JSON of its facts; its hash is RFC 6962's `SHA-256(0x00 ||
bytes)`. Each leaf names the hash of the previous leaf of its workstream, so a changed, removed or
re-ordered entry breaks the chain; who writes the whole chain anew breaks the tree that is signed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.sealing import merkle


def leaf_hash(leaf: bytes) -> str:
    """RFC 6962's hash of a leaf, as it is stored: 64 hexadecimal digits."""
    return merkle.leaf_hash(leaf).hex()


class Link(NamedTuple):
    """An entry as stored: `chain` is the id of the workstream it belongs to, if any; `problem` is why its
    columns do not say what its leaf says, if so."""

    sequence: int
    chain: int | None
    number: int
    leaf: str
    problem: str
    leaf_hash: str
    previous_hash: str


@dataclass(frozen=True, slots=True)
class Breach:
    """The first bad thing of a walk: an entry, by its number, or 0 for what is about none; and what is
    wrong."""

    sequence: int
    problem: str

    def __str__(self) -> str:
        return f"Entry {self.sequence} is bad: {self.problem}." if self.sequence else f"{self.problem}."


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's word about the history: a checkpoint over its first `size` entries, whose tree has this
    `root`. `who` is a sentence's subject, such as `the checkpoint of 3 May`."""

    size: int
    root: bytes
    who: str


class Walk:
    """Looks at entries one after another, in the order of their sequence. Memory is one hash for each
    chain, and the right edge of the tree; `claims` are compared on the way."""

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self.size = 0
        self._tree, self._fresh = merkle.Frontier(), list[bytes]()
        self._tips: dict[int | None, tuple[int, str]] = {}
        self._claims = sorted(claims, key=lambda claim: claim.size)
        self._next, self._due = 0, 1

    def problem_of(self, link: Link) -> str:
        """What is wrong with the next entry; empty when it goes on from the ones before."""
        sequence, chain, number, leaf, problem, leaf_hash, previous = link
        before, tip = self._tips.get(chain, (0, ""))
        if sequence != self.size + 1:
            return f"entry {self.size + 1} is missing: the next one found is {sequence}"
        if problem:
            return problem
        hashed = merkle.leaf_hash(leaf.encode())
        if hashed.hex() != leaf_hash:
            return "its text does not match its hash"
        if number != before + 1:
            return f"it is entry {number} of its workstream where {before + 1} is due"
        if previous != tip:
            return "it does not name the entry before it"
        self._tips[chain] = (number, leaf_hash)
        self._fresh.append(hashed)
        self.size = sequence
        return self._disproved() if sequence >= self._due else ""

    def _disproved(self) -> str:
        """What somebody's word says otherwise about the tree as far as it goes, and when to look again: where
        the next word is about, or so many hashes wait that they make a subtree."""
        self._tree.extend(self._fresh)
        self._fresh = []
        while self._next < len(self._claims) and self._claims[self._next].size <= self.size:
            claim = self._claims[self._next]
            self._next += 1
            if claim.size == self.size and self._tree.root() != claim.root:
                return f"up to here the history is another one than {claim.who} says"
        whole = self.size + merkle.TOGETHER - self.size % merkle.TOGETHER
        self._due = min(whole, self._claims[self._next].size) if self._next < len(self._claims) else whole
        return ""

    def problem_at_end(self) -> str:
        """What is missing behind the last entry: somebody saw more."""
        if self._next < len(self._claims):
            claim = self._claims[-1]
            missing = claim.size - self.size
            return f"{missing} entries are missing at the end: {claim.who} covers {claim.size}"
        return ""
