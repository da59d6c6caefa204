"""Do database and workspace still belong together (F22 to F24)? The database knows the newest commit of the
branch.

It also knows the one commit that it meant the branch to move to, said before the branch moves: a kill between
the two leaves the branch at one or the other, and is no divergence (F4 to F6).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.core.terms import Divergence, Settlement

#: How much of a commit's name people are shown.
SHORT: Final = 12


@dataclass(frozen=True, slots=True)
class Seen:
    """The commits that the database knows and meant, the branch's own, and how they stand to each other in
    git.

    `held` says that git has the known commit at all, `goes_on` that the branch goes on from it, `goes_back`
    that the branch ends before it. Commits are "" where there is none.
    """

    known: str
    head: str
    held: bool
    goes_on: bool
    goes_back: bool


def agrees(known: str, meant: str, head: str) -> bool:
    """Whether the branch stands where the database left it."""
    return head == known or (bool(meant) and head == meant)


def judge(seen: Seen) -> Divergence:
    """What came apart, of two that do not agree."""
    if seen.head and (not seen.known or seen.goes_on):
        return Divergence.DATABASE_OLDER
    if not seen.head or not seen.held or seen.goes_back:
        return Divergence.WORKSPACE_OLDER
    return Divergence.REWRITTEN


def settlements(kind: Divergence, *, held: bool) -> tuple[Settlement, ...]:
    """What may be decided. The branch can stand at the known commit only where git has it; writing the record
    again on top of commits that the database does not know would meet their paths."""
    newer = kind in (Divergence.DATABASE_OLDER, Divergence.SEALS_NEWER)
    back = (Settlement.SET_BACK,) if held or newer else ()
    again = () if newer else (Settlement.REPUBLISH,)
    return back + again


def sentence(kind: Divergence, known: str, head: str) -> str:
    """What was found, for people."""
    return SENTENCES[kind].format(known=_named(known), head=_named(head))


def _named(commit: str) -> str:
    return f"commit {commit[:SHORT]}" if commit else "no commit"


SENTENCES: Final[Mapping[Divergence, str]] = {
    Divergence.DATABASE_OLDER: (
        "The workspace is newer than the database: its branch is at {head}, and the database knows {known}. "
        "Was an older database restored, or something committed by hand?"
    ),
    Divergence.WORKSPACE_OLDER: (
        "The workspace is older than the database: its branch is at {head}, and the database knows {known}, "
        "which the branch does not have. Was an older workspace restored?"
    ),
    Divergence.REWRITTEN: (
        "The workspace's branch was rewritten: it is at {head}, which does not go on from {known}, "
        "the last one that the database knows."
    ),
    Divergence.SEALS_NEWER: (
        "The workspace has seals of a history that the database does not have: was an older database "
        "restored? Nothing more is signed until the newer one is back, or its seals are set aside."
    ),
}
