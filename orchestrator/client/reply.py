"""Answer: what a command gives back, for people as lines and for programs as data, with its exit code."""

from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """How a call ended; the same for every command."""

    DONE = 0
    #: The server said no; the message says why and what to do next.
    REFUSED = 1
    #: The words of the call are wrong, as argparse says it.
    USAGE = 2
    #: There is nothing to do now, or what was waited for did not come.
    NOTHING = 3
    #: No server answered; whether the call had an effect is open, and it may be made again.
    UNREACHABLE = 4


@dataclass(frozen=True)
class Reply:
    """`data` is what the server answered, `lines` say the same to people."""

    data: object
    lines: tuple[str, ...]
    code: Exit = Exit.DONE


def count(number: int, one: str, many: str = "") -> str:
    """1 gate, 2 gates."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
