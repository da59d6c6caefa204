"""A correction is a new entry that names the one it corrects; what was recorded stays (FR-009)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import NotFound
from orchestrator.core.people.roles import SIGNERS
from orchestrator.models import HistoryEntry
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work


@act(
    roles=SIGNERS,
    reason=why("reason", "Say what was recorded wrongly, and what is right."),
    person="The history is corrected by a person.",
    records=(Action.ENTRY_CORRECTED,),
)
def correct_entry(*, sequence: int, reason: str, actor: Actor, now: datetime) -> None:
    """Add an entry that says what is right instead of an earlier one, and is linked to it; nothing is
    rewritten, and no state follows from it."""
    with unit_of_work():
        row = HistoryEntry.objects.select_related("workstream").filter(sequence=sequence).first()
        if row is None:
            raise NotFound(f"There is no entry {sequence}.")
        record(
            workstream=row.workstream,
            actor=actor,
            action=Action.ENTRY_CORRECTED,
            subject=f"entry {sequence}: {row.action} {row.subject}"[:300],
            reason=reason,
            now=now,
            data={"sequence": sequence, "leaf": row.leaf_hash},
            corrects=row,
        )
