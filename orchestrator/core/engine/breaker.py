"""The circuit breaker: when a task that keeps failing stops being tried again (FR-027, EC-6).

It trips on a failure when either is true of the failed attempts that count:

- there are as many as the step's `Max attempts` (`MAX_ATTEMPTS` when the plan says nothing);
- the last one failed like `SAME_ERROR - 1` others, even when the step allows more attempts.

Attempts count from the last answer to a breaker or the last send-back on. Errors are alike when nothing but
numbers, hexadecimal names, paths and timings tells them apart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Failed attempts of a step whose plan names no number.
MAX_ATTEMPTS: Final = 3
#: Attempts that failed alike.
SAME_ERROR: Final = 3
#: Characters of the last error that a note shows.
SHOWN: Final = 1_000

_HEX = re.compile(r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f-]{7,}\b")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*(?:ns|us|µs|ms|s|sec|secs|seconds|min|m|h)?\b")


@dataclass(frozen=True, slots=True)
class Failure:
    """Attempt `number` and its error text."""

    number: int
    error: str


@dataclass(frozen=True, slots=True)
class Trip:
    """Why it trips: the attempts that did it, and whether they failed `alike` or were too many."""

    attempts: tuple[int, ...]
    alike: bool
    error: str

    @property
    def note(self) -> str:
        """What the person is asked; says what failed how often and shows the last error."""
        count = len(self.attempts)
        times = "once" if count == 1 else f"{count} times"
        how = " in the same way" if self.alike else ""
        named = f"attempt{'' if count == 1 else 's'} {', '.join(map(str, self.attempts))}"
        shown = self.error if len(self.error) <= SHOWN else f"{self.error[:SHOWN]}…"
        return (
            f"The circuit breaker stopped this step: it failed {times}{how} ({named}). "
            f"Say what has to change before it is tried again.\n\nThe last error: {shown}"
        )


def tripped(failures: Sequence[Failure], max_attempts: int) -> Trip | None:
    """Judge the failed attempts that count, in their order; `max_attempts` 0 means the default."""
    if not failures:
        return None
    last = failures[-1]
    like_last = normalised(last.error)
    alike = [failure.number for failure in failures if normalised(failure.error) == like_last]
    if len(alike) >= SAME_ERROR:
        return Trip(tuple(alike), True, last.error)
    if len(failures) >= (max_attempts or MAX_ATTEMPTS):
        return Trip(tuple(failure.number for failure in failures), False, last.error)
    return None


def normalised(error: str) -> str:
    """An error without what differs from run to run; linear in its length."""
    words = ("<path>" if "/" in word or "\\" in word else word for word in error.casefold().split())
    return _NUMBER.sub("#", _HEX.sub("#", " ".join(words)))
