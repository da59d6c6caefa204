"""Several names in one sentence; steps in the words of seed 002 (BX-6)."""

from collections.abc import Sequence
from typing import Final

#: Steps that something is said to wait for; the others are counted.
KEYS_TOLD: Final = 12


def first_of(names: Sequence[str], most: int) -> str:
    """The first of them with commas between; of more it says how many."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def together(keys: Sequence[str]) -> str:
    """Several steps in the words of seed 002: `A4 + B3`, all of them up to a length."""
    more = len(keys) - KEYS_TOLD
    return " + ".join(keys[:KEYS_TOLD]) + (f" + {more} more" if more > 0 else "")
