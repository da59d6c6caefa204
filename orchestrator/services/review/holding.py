"""How long a decision is kept back so that whoever took it may withdraw it (WF-3, FR-006)."""

from datetime import datetime, timedelta
from typing import Final

from orchestrator.core.errors import InvalidInput

#: The longest time that a decision may be kept back so that it can be withdrawn; more is a date.
LONGEST_HOLD: Final = 3600


def held_until(withdraw_seconds: int, now: datetime, what: str, instead: str) -> datetime:
    """When `what` takes effect that leaves these seconds; InvalidInput for more than an hour."""
    if not 0 <= withdraw_seconds <= LONGEST_HOLD:
        raise InvalidInput(
            f"{what} is kept back for 0 to {LONGEST_HOLD} seconds.",
            recovery=instead,
            field="withdraw_seconds",
        )
    return now + timedelta(seconds=withdraw_seconds)
