"""The secrets that this process knows by name, and what finds them and all others (`core/secrets.py`)."""

import os
from functools import lru_cache

from django.conf import settings

from orchestrator.core.secrets import SECRET_NAME, Masker


def registered_values() -> dict[str, str]:
    """The secrets that this process knows, by name: those of `MASKED_NAMES`, of names in its environment that
    say so themselves, and its own."""
    names = [*settings.MASKED_NAMES, *(name for name in os.environ if SECRET_NAME.fullmatch(name))]
    known = {name: value for name in names if (value := os.environ.get(name, ""))}
    own = {"SECRET_KEY": settings.SECRET_KEY}
    own |= {"SECRET_KEY_FALLBACKS": "\n".join(settings.SECRET_KEY_FALLBACKS)}
    own |= {"DATABASE_URL": str(settings.DATABASES["default"].get("PASSWORD") or "")}
    return known | {name: value for name, value in own.items() if value}


@lru_cache(1)
def masker() -> Masker:
    """What masks in this process; the environment is read once, as settings are."""
    return Masker(registered_values())
