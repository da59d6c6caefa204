"""The ids of spec-kit that a text names: tasks (`T001`, `T001-T003`) and stories (`US1`, `User Story 1`)."""

import re
from typing import Final

STORY: Final = re.compile(r"\b(?:US|User Story )(\d{1,4})\b", re.IGNORECASE)
RANGE: Final = re.compile(r"T(\d{3,9})(?:([a-z])\b)?(?:[ \t]*(?:-|–|\.\.|to)[ \t]*T(\d{3,9}))?")
#: Ids that one range may stand for.
LONGEST_RANGE: Final = 500


def ids_in(text: str) -> list[str]:
    """The ids that a text names, with ranges spelled out."""
    found: list[str] = []
    for match in RANGE.finditer(text):
        width, first = len(match[1]), int(match[1])
        last = min(int(match[3] or match[1]), first + LONGEST_RANGE)
        found += [f"T{number:0{width}}{match[2] or ''}" for number in range(first, last + 1)]
    found += [f"US{number}" for number in STORY.findall(text)]
    return list(dict.fromkeys(found))[:LONGEST_RANGE]


def inside_ranges(text: str) -> set[str]:
    """The ids that stand between the two ends of a range: those that are no task are not meant."""
    inside: set[str] = set()
    for match in RANGE.finditer(text):
        if match[3]:
            width, first = len(match[1]), int(match[1])
            last = min(int(match[3]), first + LONGEST_RANGE)
            inside.update(f"T{number:0{width}}" for number in range(first + 1, last))
    return inside
