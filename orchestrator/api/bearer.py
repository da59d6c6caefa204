"""Bearer tokens of calls that come by HTTP: wrong ones from one address are limited."""

import time
from datetime import datetime
from typing import Final

from django.conf import settings

from orchestrator.core.errors import NotSignedIn, TooManyTries
from orchestrator.core.people.guesses import Guesses
from orchestrator.services.people.callers import Caller, caller_by_token
from orchestrator.services.people.sign_in import record_token_guessing
from orchestrator.services.people.tokens import is_known_from

WINDOW_SECONDS: Final = 900
#: Counted in this process, which is the only one that serves HTTP.
guesses = Guesses(WINDOW_SECONDS)


def caller_by_bearer(secret: str, address: str, network: str, now: datetime) -> Caller:
    """The caller behind a token, unless too many wrong ones came from where this one comes from.

    A token that was used from this very address before is let in all the same: who guesses must not be able
    to lock out the agents that work beside them. `network` is what failures are counted by.
    """
    wait = guesses.wait(network, settings.TOKEN_FAILURE_LIMIT, time.monotonic())
    if wait and not is_known_from(secret, address):
        raise TooManyTries("Too many wrong tokens came from this address.", retry_after=wait)
    try:
        return caller_by_token(secret, now, address)
    except NotSignedIn:
        if guesses.failed(network, time.monotonic()) == settings.TOKEN_FAILURE_LIMIT:
            record_token_guessing(address=address, now=now)
        raise
