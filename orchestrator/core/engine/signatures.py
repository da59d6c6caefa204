"""Signatures at a gate: who has signed or rejected, who is still asked, and whether that is enough (FR-006).

A gate asks for a number of different people, or (`needed` 0, `Approvals: all`) for one person for each name
it lists. A name is a role or a user. A person counts once, for whichever name still needs them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.terms import GateKind, Role

#: What each kind of gate is for, in the words of its page.
GATE_MEANINGS: Final[Mapping[GateKind, str]] = {
    GateKind.MERGE: "Threads come together: what was done apart is checked as one before anything "
    "builds on it.",
    GateKind.REVIEW: "Somebody who did not do the work looks at it.",
    GateKind.EVALUATION: "The stage is judged as a whole: good enough to go on, or a fix stage is added.",
    GateKind.RELEASE: "The result is given out: whoever signs answers for it.",
}
_ROLES: Final = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Signer:
    """A person who signed, or `rejects`, which waits to take effect: the user name, and the names of their
    roles."""

    name: str
    roles: frozenset[str] = frozenset()
    rejects: bool = False

    def answers_to(self, reviewer: str) -> bool:
        """A role is answered to by whoever holds it; an account that is called like one has nothing of it."""
        return reviewer in self.roles if reviewer in _ROLES else reviewer == self.name


@dataclass(frozen=True, slots=True)
class SignOff:
    """`asked` are the names that may sign, or each of which still has to when `each`; `signed` the people who
    have. `rejected_by` rejected it, which waits to take effect."""

    needed: int
    signed: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    each: bool = False
    rejected_by: str = ""

    @property
    def complete(self) -> bool:
        return not self.asked if self.each else len(self.signed) >= self.needed

    @property
    def decided(self) -> bool:
        """Whether nobody is asked any more: what was decided takes effect by itself."""
        return bool(self.rejected_by) or self.complete

    @property
    def count(self) -> int:
        """Signatures that count towards what is needed."""
        return self.needed - len(self.asked) if self.each else len(self.signed)


def sign_off(reviewers: Collection[str], needed: int, signers: Sequence[Signer]) -> SignOff:
    """How far a gate's sign-off is; `reviewers` are the names in the plan, `needed` its signatures."""
    signed = [signer for signer in signers if not signer.rejects]
    names = tuple(signer.name for signer in signed)
    rejected = next((signer.name for signer in signers if signer.rejects), "")
    if needed or not reviewers:
        return SignOff(max(needed, 1), names, tuple(sorted(reviewers)), rejected_by=rejected)
    covered = _covered(reviewers, signed)
    asked = tuple(sorted(name for name in reviewers if name not in covered))
    return SignOff(len(reviewers), names, asked, each=True, rejected_by=rejected)


def _covered(reviewers: Collection[str], signers: Sequence[Signer]) -> Mapping[str, Signer]:
    """As many names as possible, each with a person of its own: augmenting paths."""
    held: dict[str, Signer] = {}

    def place(signer: Signer, tried: set[str]) -> bool:
        for name in sorted(reviewers):
            if name in tried or not signer.answers_to(name):
                continue
            tried.add(name)
            if name not in held or place(held[name], tried):
                held[name] = signer
                return True
        return False

    for signer in signers:
        place(signer, set())
    return held
