"""The sessions of an account that go on, as its page lists them (FR-011, ASVS 7.5.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase

from orchestrator.core.people.sessions import (
    ADDRESS,
    BEGUN,
    BROWSER,
    SEEN,
    SIGNED_IN,
    SessionLimits,
    why_over,
)
from orchestrator.models import OpenSession

#: What a session keeps, as its row or its request has it.
Kept = Mapping[str, Any] | SessionBase


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """`name` is what a form calls it by; its key, which would let anybody in, is never shown.

    `here` marks the one that asks.
    """

    name: str
    here: bool
    signed_in: datetime
    seen: datetime
    browser: str
    address: str


def sessions_of(account: User, here: SessionBase, now: datetime) -> list[SessionFacts]:
    """The one that asks comes first, which is not written down yet; then by when they were used last."""
    found = OpenSession.objects.filter(account=account, expire_date__gt=now)
    others = {one.session_key: one.get_decoded() for one in found if one.session_key != here.session_key}
    lasting = {key: data for key, data in others.items() if not why_session_over(data, account, now)}
    facts = [_facts(key, data) for key, data in lasting.items()]
    facts.sort(key=lambda one: (one.seen, one.signed_in), reverse=True)
    return [replace(_facts(here.session_key, here), here=True), *facts]


def why_session_over(data: Kept, account: User, now: datetime) -> str:
    """What to tell the person whose session it was; empty while it lasts."""
    return why_over(
        signed_in=moment(data, SIGNED_IN),
        begun=moment(data, BEGUN),
        seen=moment(data, SEEN),
        ended=account.session_end.at if hasattr(account, "session_end") else None,
        limits=SessionLimits(
            timedelta(minutes=settings.SESSION_IDLE_MINUTES), timedelta(hours=settings.SESSION_HOURS)
        ),
        now=now,
    )


def session_name(key: str | None) -> str:
    """Nobody can tell the key from it."""
    return sha256((key or "").encode()).hexdigest()[:16]


def moment(data: Kept, name: str) -> datetime:
    """A session that does not know when it began has begun long ago."""
    return datetime.fromtimestamp(data.get(name, 0.0), UTC)


def _facts(key: str | None, data: Kept) -> SessionFacts:
    return SessionFacts(
        name=session_name(key),
        here=False,
        signed_in=moment(data, SIGNED_IN),
        seen=moment(data, SEEN),
        browser=data.get(BROWSER, ""),
        address=data.get(ADDRESS, ""),
    )
