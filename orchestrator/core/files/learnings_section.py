"""The section of a repository's own file that says what work on it taught (BX-7).

It stands between two markers. What is before the first and behind the second belongs to the people of the
repository, and comes back byte for byte.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.invisible import reveal

BEGIN: Final = "<!-- orchestrator: learnings begin -->"
END: Final = "<!-- orchestrator: learnings end -->"
#: How many learnings the section holds, the newest, and characters of each text: agents read it every time.
MOST: Final = 100
LONGEST: Final = 500
_KINDS: Final = (
    ("Common mistakes", "went_wrong"),
    ("Patterns", "worked"),
    ("Clarifications", "tighten"),
)
#: What would open or close a comment, and so a marker of ours, or turn a line into something else than text.
_MARKUP: Final = re.compile(r"<(?=!--)|--(?=>)|`{3,}")


class SectionDamaged(ValueError):
    """The markers of a file do not stand around one section: a person has to put them right."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one batch or merge point taught; `source` says where, in words."""

    source: str
    went_wrong: str
    worked: str
    tighten: str


def with_section(text: str, lessons: Sequence[Lesson]) -> str:
    """Returns the file's text with the section as these lessons, oldest first, make it: put in its place, or
    at the end of a text that has none. The same lessons give the same text. Raises SectionDamaged.
    """
    section = f"{BEGIN}\n{_section(lessons)}{END}"
    begins, ends = text.count(BEGIN), text.count(END)
    if not begins and not ends:
        return f"{text}{_gap(text)}{section}\n"
    if (begins, ends) != (1, 1) or text.index(END) < text.index(BEGIN):
        raise SectionDamaged("The markers of the section are not one pair.")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{section}{rest.partition(END)[2]}"


def _gap(text: str) -> str:
    if not text:
        return ""
    return "\n" if text.endswith("\n") else "\n\n"


def _section(lessons: Sequence[Lesson]) -> str:
    lines = [
        "## Learnings",
        "",
        "What earlier work on this repository taught. What stands between the markers is written anew.",
        "",
    ]
    for heading, field in _KINDS:
        told = [(lesson, _one_line(getattr(lesson, field))) for lesson in lessons[-MOST:]]
        items = [f"- {text} ({_one_line(lesson.source)})" for lesson, text in told if text]
        if items:
            lines += [f"### {heading}", "", *items, ""]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    """Somebody's words inside one item of the list: no line of their own, no marker, nothing unseen."""
    line = _MARKUP.sub(lambda found: " ".join(found[0]) + " ", " ".join(reveal(text).split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
