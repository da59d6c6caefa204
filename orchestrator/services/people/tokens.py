"""Who a bearer token belongs to: its keyed hash, its time, and when it was last used.

See FR-027, design section 7.
"""

import hashlib
import hmac
import logging
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from orchestrator.core.errors import NotSignedIn, TokenExpired
from orchestrator.models import AccessToken, Executor
from orchestrator.queries.base.sql import Joined, Table, link
from orchestrator.services.base.outages import OUTAGES
from orchestrator.services.base.patience import without_waiting

logger = logging.getLogger(__name__)

#: Last use is written at most this often: a statement for each call would be one too many.
USED_EVERY: Final = timedelta(minutes=1)


def digest_of(secret: str) -> str:
    """What is stored of a secret, under the present key."""
    return _digest(secret, settings.SECRET_KEY)


def live_token(secret: str) -> AccessToken | None:
    """The token of this secret that is not revoked, of an account that is active; its time may be over.

    A hash made with an earlier key counts while `SECRET_KEY_FALLBACKS` has that key.
    """
    digests = [_digest(secret, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    found = (_LIVE.first(digest) for digest in digests)
    row = next((one for one in found if one is not None), None)
    if row is None:
        return None
    token: AccessToken = row["token"]
    link(token, "executor", row["executor"])
    link(row["executor"], "user", row["account"])
    return token


_LIVE = Joined(
    {"token": Table(AccessToken), "executor": Table(Executor), "account": Table(User)},
    """orchestrator_accesstoken token
JOIN orchestrator_executor executor ON executor.id = token.executor_id
JOIN auth_user account ON account.id = executor.user_id
WHERE token.digest = %s AND token.revoked_at IS NULL AND account.is_active""",
)


def is_known_from(secret: str, address: str) -> bool:
    """Whether this live token was last used from this address."""
    token = live_token(secret)
    return token is not None and token.last_used_at is not None and token.last_used_from == address


def authenticate(secret: str, now: datetime, address: str = "") -> AccessToken:
    """The token of this secret, noted as used.

    NotSignedIn when none is live, TokenExpired when its time is over.
    """
    token = live_token(secret)
    if token is None:
        raise NotSignedIn("The token is unknown or revoked.")
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenExpired(
            f"The token “{token.label}” of {token.executor.name} expired on {token.expires_at:%Y-%m-%d}."
        )
    note_use(token, secret, now, address)
    return token


def note_use(token: AccessToken, secret: str, now: datetime, address: str) -> None:
    """When and from where it was used last, and its hash under the present key; one statement, and rarely.

    It is noted as far as that costs nothing: a call is neither kept waiting nor refused because somebody else
    writes, or because nothing can be written; the next call notes its own use. A use on this machine (MCP)
    comes from nowhere, and leaves the address of the last call by HTTP.
    """
    digest, address = digest_of(secret), address or token.last_used_from
    recent = token.last_used_at is not None and abs(now - token.last_used_at) < USED_EVERY
    if recent and token.digest == digest and token.last_used_from == address:
        return
    used = {"digest": digest, "last_used_at": now, "last_used_from": address}
    try:
        with without_waiting():
            AccessToken.objects.filter(pk=token.pk).filter(Q(digest=token.digest)).update(**used)
    except OUTAGES as problem:
        logger.info("The use of the token %s was not noted: %s", token.pk, problem)
        return
    token.digest, token.last_used_at, token.last_used_from = digest, now, address


def _digest(secret: str, key: str) -> str:
    return hmac.new(key.encode(), secret.encode(), hashlib.sha256).hexdigest()
