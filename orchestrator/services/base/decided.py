"""Who comes second is told who was first, and when (FR-015, FR-025)."""

from collections.abc import Collection

from orchestrator.core.actions import Action
from orchestrator.core.errors import AlreadyDecided, Refusal, WrongState
from orchestrator.models import HistoryEntry, Workstream


def by_whom(
    refusal: Refusal, said: str, *, workstream: Workstream | None, actions: Collection[Action], **named: str
) -> Refusal:
    """The refusal of an act that somebody else did before: `said`, by whom and why, from the newest entry of
    these actions in the workstream's history; `named` narrows them further.

    A refusal for another reason than the state of the row stays what it is, and so does one of a state that
    no act brought about. One statement, and only where something is refused.
    """
    if not isinstance(refusal, WrongState) or isinstance(refusal, AlreadyDecided):
        return refusal
    entries = HistoryEntry.objects.filter(workstream=workstream, action__in=[*actions], **named)
    last = entries.order_by("-sequence").first()
    if last is None:
        return refusal
    why = f": {last.reason}" if last.reason else "."
    return AlreadyDecided(f"{said}, by {last.actor}{why}", at=last.recorded_at.isoformat())
