"""Who has to sign in with a second factor, and how its codes are written (design section 7)."""

import base64
from collections.abc import Collection
from typing import Final

from orchestrator.core.terms import Role

#: The word of the policy for administrators: superusers, and whoever may open the administration.
OPERATOR: Final = "operator"
KNOWN: Final = frozenset({OPERATOR, *(role.value for role in Role)})
RECOVERY_CODES: Final = 10
#: Bytes of one recovery code: nobody guesses 80 bits, so a plain hash keeps it.
RECOVERY_BYTES: Final = 10
CODE_DIGITS: Final = 6


def is_asked(policy: Collection[str], roles: Collection[str], *, operator: bool) -> bool:
    """Whether the policy names one of the roles that the account holds."""
    return bool(set(policy) & set(roles)) or (operator and OPERATOR in policy)


def in_groups(text: str) -> str:
    """Four characters at a time, as people read and type them."""
    return "-".join(text[place : place + 4] for place in range(0, len(text), 4))


def recovery_code(random: bytes) -> str:
    return in_groups(base64.b32encode(random).decode().rstrip("=").lower())


def as_typed(code: str) -> str:
    """What counts of a typed code: letters and digits, whatever stands between them."""
    return "".join(character for character in code.lower() if character.isascii() and character.isalnum())[
        :64
    ]


def is_app_code(code: str) -> bool:
    """Whether a code, as `as_typed` leaves it, has the form of those that apps show."""
    return len(code) == CODE_DIGITS and code.isdecimal()
