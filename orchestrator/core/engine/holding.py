"""Which work a lost handover holds that was launched before it was lost (EC-3, F32)."""

from collections.abc import Collection
from typing import NamedTuple


class Footing(NamedTuple):
    """Where a step stands.

    Stage, batch and thread, and its run of neighbouring parallel steps in the thread.
    """

    key: str
    place: tuple[int, int, int]
    run: int


def builds_on(one: Footing, needs: Collection[str], other: Footing) -> bool:
    """Whether a step builds on another: by name, from a later batch, or from a later run of the same thread.
    These are the rules by which a step that is not launched waits for it (`core/engine/schedule.py`)."""
    if other.key in needs or other.place[:2] < one.place[:2]:
        return True
    return other.place == one.place and other.run < one.run
