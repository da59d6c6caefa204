"""The ids of spec-kit that a text names, tasks (`T001`, `T001-T003`) and stories (`US1`, `User Story 1`), and
what people add to a title when the task is done.
"""

import re
from typing import Final

from orchestrator.core.plans.reading.json_source import one_line

STORY: Final = re.compile(r"\b(?:US|User Story )(\d{1,4})\b", re.IGNORECASE)
RANGE: Final = re.compile(r"T(\d{3,9})(?:([a-z])\b)?(?:[ \t]*(?:-|–|\.\.|to)[ \t]*T(\d{3,9}))?")
_TICK: Final = re.compile("[✅✓✔☑]")
#: What people add when something is done: `— ✅ (merged)`, `✅ COMPLETED (2026-02-03)`.
_ENDED: Final = re.compile(
    r"[ \t]*(?:[—–-][ \t]*)?[✅✓✔☑]\ufe0f?[ \t]*(?:completed?|done)?[ \t]*(\([^()]{0,300}\))?[ \t]*\Z",
    re.IGNORECASE,
)
_LONGEST_END, _LONGEST_TEXT = 400, 20_000
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


def without_end(text: str) -> tuple[str, re.Match[str] | None]:
    """The text without what says that it is done, and that."""
    ended = _ENDED.search(text[-_LONGEST_END:]) if _TICK.search(text) else None
    return (text[: len(text) - len(ended[0])], ended) if ended else (text, None)


def some(keys: list[str]) -> str:
    """Keys as a sentence names them: the first and the last."""
    return keys[0] if len(keys) == 1 else f"{keys[0]} … {keys[-1]}"


def clean(text: str, most: int = _LONGEST_TEXT) -> str:
    """A title on one line, without bold marks and without what says that it is done."""
    plain, _ = without_end(" ".join(text.replace("**", "").split()))
    return one_line(plain.strip(" ✓✅-–—"), most)
