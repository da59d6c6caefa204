"""Snoozes: a person puts off what waits for them until a time (FR-002)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from orchestrator.core.errors import InvalidInput, NotFound
from orchestrator.models import Snooze
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import EVERY_ROLE, act
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.duties import inbox_of

#: The longest that anything may be put off, and how many items at once.
LONGEST: Final = timedelta(days=366)
MOST: Final = 100


@act(roles=EVERY_ROLE)
def snooze(*, items: Sequence[str], until: datetime, actor: Actor, now: datetime) -> int:
    """Hide these items of the actor's own inbox until a time; one that is past shows them again.

    An item is named as the list names it, `source:id`. Nobody else's inbox changes, and nothing of the work.
    Answers with how many of them are in the inbox, and NotFound when none is. InvalidInput for a name that is
    none, or a time too far away.
    """
    if until > now + LONGEST:
        raise InvalidInput("Nothing is put off for longer than a year.", field="until")
    if not items or len(items) > MOST:
        raise InvalidInput(
            f"Choose between 1 and {MOST} items.",
            recovery="Tick what you want to put off in the list.",
            field="item",
        )
    named = {_named(item) for item in items}
    present = inbox_of(actor.account, actor.roles()).present(named)
    if not present:
        raise NotFound(
            "Nothing of what you chose is in your inbox.",
            recovery="Open the inbox again: it shows what waits for you now.",
        )
    with unit_of_work():
        for source, row in sorted(present):
            Snooze.objects.update_or_create(
                person=actor.account, source=source, row=row, defaults={"until": until}
            )
    return len(present)


def _named(item: str) -> tuple[str, int]:
    source, _, row = item.partition(":")
    known = source.replace("-", "").isalpha() and source.isascii() and len(source) <= 30
    if not (known and row.isascii() and row.isdecimal() and len(row) <= 18):
        raise InvalidInput(f"{item[:40]!r} is no item of an inbox.", field="item")
    return source, int(row)
