"""Forms are sent twice (a double click, Reload, the Back button); what they make is made once.

A form that makes or decides something carries a key of its own. The first time it is sent, the key is
settled together with the act. Further times do nothing: a double click is answered like the first one, and
later, when what was done may be undone again, people are told what it came to then.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User

from orchestrator.core.errors import FormSentBefore, InvalidInput, Refusal, StaleToken
from orchestrator.models import FormKey
from orchestrator.services.base.locks import Lock, take
from orchestrator.services.base.masking import masked_text
from orchestrator.services.base.unit_of_work import unit_of_work

#: Two clicks of one person that are no further apart are one, unless they sent another form in between.
DOUBLE_CLICK: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it came: who sent it, its key, and a digest of what was typed."""

    user: User
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Made:
    """What an act came to: what is said about it, and the address where it can be seen. `earlier` says that
    it was done when the form was sent before, and nothing now."""

    said: str
    address: str
    earlier: bool = False


def make_once(*, sent: Sent, now: datetime, make: Callable[[], Made]) -> Made:
    """Run `make` unless the form was sent before; then say what it came to, like the first time to a double
    click.

    Key and act commit together, and the key is taken first, so that a second click waits for the first one. A
    refusal leaves neither behind, unless what was sent is kept all the same, as evidence (F26). Only for acts
    of one transaction; it becomes a part of this one. FormSentBefore when the form comes again with other
    words.
    """
    with unit_of_work():
        row, first = _taken(sent, now)
        if not first:
            return _first_answer(row, sent, now)
        made = _made_or_kept(make)
        _settle(row, _refused(made) if isinstance(made, Refusal) else made)
    if isinstance(made, Refusal):
        raise made
    return made


def _made_or_kept(make: Callable[[], Made]) -> Made | StaleToken:
    """What was made, or the one refusal that stores something.

    Every other one is raised, and stores nothing.
    """
    try:
        return make()
    except StaleToken as refusal:
        if not refusal.kept:
            raise
        return refusal


def _refused(refusal: Refusal) -> Made:
    return Made(f"It was refused. {refusal.message}", "")


def make_several_once(*, sent: Sent, now: datetime, make: Callable[[], Made]) -> Made:
    """The same for acts of many transactions, which cannot become one: the key is taken before, and settled
    behind.

    A second click meanwhile is refused (FormSentBefore), and so it is after a kill in between: what was made
    stands.
    """
    with unit_of_work():
        row, first = _taken(sent, now)
    if not first:
        return _first_answer(row, sent, now)
    try:
        made = make()
    except Refusal as refusal:
        _settle(row, _refused(refusal))
        raise
    _settle(row, made)
    return made


def _taken(sent: Sent, now: datetime) -> tuple[FormKey, bool]:
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,60}", sent.key):
        raise InvalidInput(
            "The form's key is not one of ours.", recovery="Open the page again.", field="once"
        )
    take(Lock.KEY, f"form {sent.user.pk} {sent.key}")
    return FormKey.objects.get_or_create(
        user=sent.user, key=sent.key, defaults={"digest": sent.digest, "created_at": now}
    )


def _first_answer(row: FormKey, sent: Sent, now: datetime) -> Made:
    if row.digest != sent.digest:
        raise FormSentBefore(
            f"This form was sent before, with other words. Then it said: {row.said or 'nothing yet'}"
        )
    if not row.address:
        raise FormSentBefore(
            f"This form was sent before. {row.said or 'It is being worked on, or was cut off.'}",
            recovery="Look whether what you sent is there; then send it from here again, if it is not.",
        )
    if _is_double_click(row, now):
        return Made(row.said, row.address)
    return Made(
        f"You sent this form before, so nothing was done now. Then it said: “{row.said}”",
        row.address,
        earlier=True,
    )


def _is_double_click(row: FormKey, now: datetime) -> bool:
    later = FormKey.objects.filter(user=row.user_id, pk__gt=row.pk)
    return now - row.created_at <= DOUBLE_CLICK and not later.exists()


def _settle(row: FormKey, made: Made) -> None:
    row.said, row.address = masked_text(made.said), made.address
    row.save(update_fields=["said", "address"])
