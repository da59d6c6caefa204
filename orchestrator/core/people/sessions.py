"""When a session is over: it was idle, it is old, or its account was signed out everywhere.

See design section 7.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: What a session keeps: when it was signed in, since when it goes on alone, when it was used last.
SIGNED_IN: Final = "signed_in"
BEGUN: Final = "begun"
SEEN: Final = "seen"
#: And of the browser that it was signed in by.
BROWSER: Final = "browser"
ADDRESS: Final = "address"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """`idle` is the time between two requests, 0 for no end.

    `longest` that since the sign-in, whatever happens.
    """

    idle: timedelta
    longest: timedelta


#: Writing down when a session was last used costs a statement, so it is done at most this often.
SEEN_EVERY = timedelta(minutes=1)


def why_over(
    *,
    signed_in: datetime,
    begun: datetime,
    seen: datetime,
    ended: datetime | None,
    limits: SessionLimits,
    now: datetime,
) -> str:
    """What to tell the person whose session is over; empty while it lasts.

    `ended` is when all were signed out; a session that went on alone began anew then, and was signed in
    before.
    """
    if ended is not None and begun < ended:
        return "This account was signed out everywhere."
    if now - min(signed_in, begun) > limits.longest:
        return f"You were signed out {_length(limits.longest)} after you signed in."
    if limits.idle and now - seen > limits.idle:
        return f"You were signed out after {_length(limits.idle)} in which nothing was asked for."
    return ""


def _length(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    number, unit = (minutes // 60, "hour") if minutes % 60 == 0 and minutes else (minutes, "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"
