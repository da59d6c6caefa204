"""The ways in which one text can be read as a plan, and what each gives (WF-2)."""

from dataclasses import dataclass
from typing import Final

from orchestrator.core.plans.formats.recognise import TWO_WAYS
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Format
from orchestrator.queries.plans.readings import checked

#: Titles of steps that are shown of each reading.
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class WayToRead:
    """One reading of a text: its format, how many steps it gives, and whether it is the one that is shown.

    `titles` are those of its first steps, `account` says what became of the lines.
    """

    format: Format
    steps: int
    nested: bool
    here: bool
    titles: tuple[str, ...]
    account: str


def ways_to_read(source: bytes | str, reading: Reading) -> tuple[WayToRead, ...]:
    """Nested items as details and as steps; empty where both give the same, or only one is possible."""
    form = reading.format
    if form is None or reading.plan is None or (form is not Format.LIST_FINE and form not in TWO_WAYS):
        return ()
    other = checked(source) if form is Format.LIST_FINE else checked(source, Format.LIST_FINE)
    if other.format is None or other.plan is None or other.format not in (*TWO_WAYS, Format.LIST_FINE):
        return ()
    ways = [_way(each, here=each is reading) for each in (reading, other)]
    if ways[0].steps == ways[1].steps:
        return ()
    return tuple(sorted(ways, key=lambda way: way.nested))


def _way(reading: Reading, *, here: bool) -> WayToRead:
    assert reading.format is not None
    assert reading.plan is not None
    titles = [step.title for step in reading.plan.steps()]
    return WayToRead(
        format=reading.format,
        steps=len(titles),
        nested=reading.format is Format.LIST_FINE,
        here=here,
        titles=tuple(titles[:SHOWN]),
        account=reading.account.sentence,
    )
