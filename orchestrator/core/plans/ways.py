"""The ways in which one text can be read as a plan, and what each gives (WF-2)."""

from typing import Final, NamedTuple

from orchestrator.core.terms import Format

#: Titles of steps that are shown of each reading.
SHOWN: Final = 5


class WayToRead(NamedTuple):
    """One reading of a text: its format, how many steps it gives, and whether it is the one that is shown.

    `nested` says that nested items are steps of their own, `titles` are those of its first steps, `account`
    says what became of the lines.
    """

    format: Format
    steps: int
    nested: bool
    here: bool
    titles: tuple[str, ...]
    account: str
