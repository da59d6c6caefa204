"""Silence: an executor that said nothing for long is asked about, and goes on holding its attempt (WF-9).

Time alone changes no state: a person decides, or the executor's next word answers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: Characters of the last word that a question quotes.
SHOWN: Final = 400


@dataclass(frozen=True, slots=True)
class Quiet:
    """A running attempt: who holds it since when, and what was said last, at `heard_at`."""

    key: str
    number: int
    holder: str
    since: datetime
    heard_at: datetime
    last_word: str
    branch: str


def silent_since(now: datetime, minutes: int) -> datetime | None:
    """Whoever was heard before it is asked about; None where nobody is (`minutes` is 0)."""
    return now - timedelta(minutes=minutes) if minutes else None


def question(quiet: Quiet, now: datetime) -> str:
    """What the person is asked, with what taking over would mean."""
    hours, minutes = divmod(int((now - quiet.heard_at).total_seconds()) // 60, 60)
    age = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    word = quiet.last_word if len(quiet.last_word) <= SHOWN else f"{quiet.last_word[:SHOWN]}…"
    at = f"{quiet.heard_at:%Y-%m-%d %H:%M} UTC"
    said = f"The last word, at {at}: {word}" if word else "It never said how far it is."
    place = f", the branch {quiet.branch}" if quiet.branch else ""
    return (
        f"{quiet.holder} has said nothing about {quiet.key} for {age}; it holds attempt {quiet.number} since "
        f"{quiet.since:%Y-%m-%d %H:%M} UTC. {said}\n\nNothing changes by itself, and its next word answers "
        f"this. To let it go on, answer so. To have somebody else take over, declare the attempt failed and "
        f"queue the step again: whoever claims it gets the last word, what was handed over before{place}. "
        f"What {quiet.holder} hands in later is kept as evidence and not applied."
    )
