"""Masking: no act is given a secret, so none is stored (`core/secrets.py`).

Every act calls `masked_arguments` before it does anything (`services/base/acts.py`), whichever interface it
is called from. What was masked stands in the act's own history entry, and whoever sent it is told
(`noticing`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from django.db.models import Model

from orchestrator.core.secrets import Masked
from orchestrator.queries.base.registered import masker

#: Arguments that say who acts.
_WHO: Final = frozenset({"actor", "executor", "user", "account"})

#: Where an answer in JSON says what was masked of the call.
MASKED: Final = "masked"

_noticed: ContextVar[list[Masked] | None] = ContextVar("noticed", default=None)
_of_this_act: ContextVar[tuple[Masked, ...]] = ContextVar("of_this_act", default=())


def masked_text(text: str) -> str:
    """For words that no act is given: the end of a log, what a producer called a file."""
    return masker().mask(text).text


def masked_json(text: str) -> str:
    """The same for an answer in JSON: its texts are masked each for itself, never across its structure."""
    found: list[str] = []
    facts = _masked(json.loads(text), found) if text else None
    return json.dumps(facts, ensure_ascii=False) if found else text


def notice_of(masked: Sequence[Masked]) -> str:
    """For whoever sent it: what was masked, and what to do about it."""
    named = "; ".join(one.sentence for one in masked)
    return (
        f"What looks like a secret was masked before anything was stored ({named}). "
        "Renew it: it was sent here. Say where it can be found, never what it is."
    )


def with_notice(answer: str, masked: Sequence[Masked]) -> str:
    """A JSON answer that also says what was masked (MASKED); unchanged where nothing was."""
    facts = json.loads(answer) if masked else None
    if not isinstance(facts, dict):
        return answer
    facts[MASKED] = {"sentence": notice_of(masked), "found": [one._asdict() for one in masked]}
    return json.dumps(facts, ensure_ascii=False)


def masked_arguments(
    given: Mapping[str, Any], plain: Sequence[str] = ()
) -> tuple[dict[str, Any], tuple[Masked, ...]]:
    """The arguments of an act without secrets, and what was masked in them.

    Arguments named in `plain` are left as they are, and so is who acts. SecretInFile for a file that cannot
    be masked.
    """
    taken: dict[str, Any] = {}
    masked: list[Masked] = []
    for name, value in given.items():
        if name in _WHO or name in plain:
            taken[name] = value
            continue
        found: list[str] = []
        taken[name] = _masked(value, found)
        masked += [Masked(name, what, found.count(what)) for what in dict.fromkeys(found)]
    return taken, tuple(masked)


def _masked(value: Any, found: list[str]) -> Any:
    """The same value, with the texts in it masked: words keep their type, rows of the database are left."""
    if type(value) is str:
        masking = masker().mask(value)
        found += masking.found
        return masking.text
    if type(value) is bytes:
        content, what = masker().mask_content(value)
        found += what
        return content
    if isinstance(value, Mapping):
        return {_masked(name, found): _masked(part, found) for name, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_masked(part, found) for part in value)
    if is_dataclass(value) and not isinstance(value, type | Model):
        return _masked_fields(value, found)
    return value


def _masked_fields(value: Any, found: list[str]) -> Any:
    before = len(found)
    parts = {field.name: _masked(getattr(value, field.name), found) for field in fields(value) if field.init}
    return replace(value, **parts) if len(found) > before else value


@contextmanager
def telling(masked: tuple[Masked, ...]) -> Iterator[None]:
    """Around an act: what was masked goes into what it records, and to whoever listens."""
    if not masked:
        yield
        return
    noticed = _noticed.get()
    if noticed is not None:
        noticed += [one for one in masked if one not in noticed]
    token = _of_this_act.set(masked)
    try:
        yield
    finally:
        _of_this_act.reset(token)


@contextmanager
def noticing() -> Iterator[list[Masked]]:
    """Around a call of an entry point: what its acts have masked, for whoever sent it."""
    noticed: list[Masked] = []
    token = _noticed.set(noticed)
    try:
        yield noticed
    finally:
        _noticed.reset(token)


def masked_here() -> list[dict[str, object]]:
    """What the present act has masked, as its history entry says it."""
    return [one._asdict() for one in _of_this_act.get()]
