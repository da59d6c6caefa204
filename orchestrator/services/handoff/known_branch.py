"""What the database knows of the workspace's branch, and whether git says the same (F22 to F24).

One row. It is written in the transaction that marks artifacts committed, and before the branch moves it says
where to: so a kill anywhere between leaves the branch at one of two commits that it names, and every other
commit is foreign.
"""

from datetime import datetime
from typing import NamedTuple

from orchestrator.core.actions import Action
from orchestrator.core.errors import WorkspaceDiverged, WorkspaceUnavailable, WrongState
from orchestrator.core.files.divergence import Seen, agrees, judge, sentence
from orchestrator.core.terms import Divergence
from orchestrator.models import WorkspaceBranch
from orchestrator.queries.base.sql import Joined, Table
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import record
from orchestrator.services.base.rows import UpdateWhere
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.sealing.anchors import seal_in
from orchestrator.workspace import Workspace


class BranchSeen(NamedTuple):
    """The row, and whether something that people decided is not sealed yet (FR-009)."""

    row: WorkspaceBranch
    decided: bool


def known_branch() -> WorkspaceBranch:
    """The row, or what it says before there is one: no commit is known."""
    return _known().row


def _known() -> BranchSeen:
    found = _KNOWN.first(*DECISIONS, WorkspaceBranch.ONLY)
    return (
        BranchSeen(found["branch"], bool(found["decided"])) if found else BranchSeen(WorkspaceBranch(), True)
    )


#: What nobody builds on before it is sealed: approvals and signatures.
DECISIONS = (Action.PLAN_APPROVED, Action.PLAN_TOOK_EFFECT, Action.GATE_APPROVED, Action.GATE_REJECTED)
_KNOWN = Joined(
    {"branch": Table(WorkspaceBranch)},
    "orchestrator_workspacebranch branch WHERE branch.id = %s",
    {
        "decided": "EXISTS (SELECT 1 FROM orchestrator_historyentry entry WHERE entry.sequence > "
        "(SELECT COALESCE(MAX(size), 0) FROM orchestrator_historycheckpoint) "
        f"AND entry.action IN ({', '.join(['%s'] * len(DECISIONS))}))"
    },
)


def intend(commit: str) -> None:
    """The branch is about to move to this commit; committed before it does."""
    _write(meant=commit)


def note_head(commit: str) -> None:
    """The branch stands here, and what was written with it is marked; part of the caller's transaction."""
    _write(head=commit, meant=commit)


def _write(**columns: object) -> None:
    if not _update({"id": WorkspaceBranch.ONLY}, **columns):
        WorkspaceBranch.objects.get_or_create(pk=WorkspaceBranch.ONLY, defaults=columns)


_update = UpdateWhere(WorkspaceBranch)


def refuse_diverged(space: Workspace, known: WorkspaceBranch | None = None) -> None:
    """WorkspaceDiverged when acts may not go on: one read of a row and of a small file. `known` is the row,
    where the act has read it already.

    A publisher may be at work meanwhile. Its row names both commits while the branch moves, so what is
    foreign twice, before and after the row was read, is foreign. A disk that does not tell holds up nobody:
    what was announced waits for it (F14 to F16).
    """
    try:
        head = space.head()
        if known is not None and agrees(known.head, known.meant, head):
            return
        row = known_branch()
        foreign = not agrees(row.head, row.meant, head) and space.head() == head
    except WorkspaceUnavailable:
        return
    if foreign:
        raise diverged(space, row, head)


def refuse_diverged_writer(space: Workspace, now: datetime) -> WorkspaceBranch:
    """The same for whoever is about to add to the branch under the workspace's lock.

    Noted for everybody to see. What people decided is sealed before its effect is published (FR-009).
    """
    head, (row, decided) = space.head(), _known()
    if not agrees(row.head, row.meant, head):
        _note(space, row, head, now)
        raise diverged(space, row, head)
    if decided:
        _seal_decisions(space, now)
    return row


def _seal_decisions(space: Workspace, now: datetime) -> None:
    """Nothing that builds on a decision is published while it cannot be sealed: it waits with the reason."""
    try:
        seal_in(space, now=now)
    except WrongState as refusal:
        said = f"What was decided cannot be sealed: {refusal.message}"
        raise WorkspaceUnavailable(said, recovery=refusal.way_out) from refusal


def look(space: Workspace, now: datetime) -> bool:
    """Compare database and branch; whether they differ. Noted, and shown, from the first look until they
    agree.

    Call it outside a transaction: where they seem to differ it takes the workspace's lock, so that nobody
    moves the branch while it looks again. Raises WorkspaceUnavailable.
    """
    head, row = space.head(), known_branch()
    if agrees(row.head, row.meant, head) and row.diverged_at is None:
        return False
    with space.locked():
        head, row = space.head(), known_branch()
        if not agrees(row.head, row.meant, head):
            _note(space, row, head, now)
            return True
        if row.diverged_at is not None:
            _agree_again(row, head, now)
    return False


def seen_by(space: Workspace, row: WorkspaceBranch, head: str) -> Seen:
    """What git says of two commits that differ."""
    return Seen(
        known=row.head,
        head=head,
        held=space.holds_commit(row.head),
        goes_on=bool(row.head) and bool(head) and space.goes_on(row.head, head),
        goes_back=bool(row.head) and bool(head) and space.goes_on(head, row.head),
    )


def diverged(space: Workspace, row: WorkspaceBranch, head: str) -> WorkspaceDiverged:
    """The refusal.

    Executors ask again every few seconds, so git is asked only about what nobody has noted yet.
    """
    noted = row.diverged_at is not None and row.found == head
    kind = Divergence(row.kind) if noted else judge(seen_by(space, row, head))
    said = f"{sentence(kind, row.head, head)} Nothing is claimed, completed or published meanwhile."
    return WorkspaceDiverged(said, kind=kind.value, known=row.head, head=head)


def _note(space: Workspace, row: WorkspaceBranch, head: str, now: datetime) -> None:
    kind = judge(seen_by(space, row, head))
    if row.diverged_at is not None and (row.kind, row.found) == (kind, head):
        return
    with unit_of_work():
        _write(diverged_at=row.diverged_at or now, kind=kind.value, found=head)
        record(
            workstream=None,
            actor=ORCHESTRATOR,
            action=Action.WORKSPACE_DIVERGED,
            subject=kind.value.replace("-", " "),
            reason=sentence(kind, row.head, head),
            now=now,
            data={"kind": kind.value, "known": row.head, "head": head},
        )


def _agree_again(row: WorkspaceBranch, head: str, now: datetime) -> None:
    """Whoever restored the right copy has decided already."""
    with unit_of_work():
        settled()
        record(
            workstream=None,
            actor=ORCHESTRATOR,
            action=Action.WORKSPACE_AGREES_AGAIN,
            subject=Divergence(row.kind).value.replace("-", " "),
            reason="The branch stands again where the database left it.",
            now=now,
            data={"head": head, "found": row.found},
        )


def settled() -> None:
    """The divergence is over; part of the transaction that says why."""
    _write(diverged_at=None, kind="", found="")
