"""Titles of any length: a short one, and the whole text beside it so that nothing is lost (BX-8)."""

from typing import Final

LONGEST_TITLE: Final = 300
_SHORT: Final = 160


def split_title(text: str) -> tuple[str, str]:
    """A title that is no longer than one may be, and the whole text when that is longer."""
    whole = " ".join(text.split())
    if len(whole) <= LONGEST_TITLE:
        return whole, ""
    start = whole[:_SHORT]
    ends = [start.rfind(mark) for mark in (". ", "; ", ": ", ", ")]
    end = next((place for place in ends if place > _SHORT // 4), start.rfind(" "))
    return f"{start[: end if end > 0 else _SHORT].rstrip(' .;:,')} …", whole
