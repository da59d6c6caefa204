"""A part of a plan that names no step, to be read: facts of the front matter, then text (WF-3)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.text.front_matter import read_front_matter
from orchestrator.core.terms import Format

#: Formats whose source is data: as text it says nothing that the steps do not.
DATA: Final = frozenset(
    {
        Format.TASK_MASTER,
        Format.BEADS,
        Format.BUNDLE_WS,
        Format.TASKS,
        Format.TODO,
        Format.PLAN_FILE,
        Format.YAML,
    }
)

#: A heading with nothing below it: what it names stands in the sections behind.
_LAST_HEADING: Final = re.compile(r"\n#{1,6} [^\n]*\Z")


@dataclass(frozen=True, slots=True)
class Prose:
    """`facts` are names and values as they were written, `text` is Markdown."""

    facts: tuple[tuple[str, str], ...]
    text: str


def prose_of(lines: Sequence[str], source: Format | None) -> Prose | None:
    """The lines as prose; None when the source is data, or nothing that was read."""
    if source is None or source in DATA:
        return None
    matter = read_front_matter(list(lines), Findings()).lines
    text = "\n".join(lines[matter:]).strip()
    return Prose(tuple(_facts(lines[1 : max(matter - 1, 1)])), _LAST_HEADING.sub("", text).rstrip())


def _facts(lines: Sequence[str]) -> list[tuple[str, str]]:
    """A name and its value for each line that has one; what stands below a name is a part of its value."""
    found: list[tuple[str, str]] = []
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, colon, value = text.partition(":")
        if colon and line[0] not in " \t-":
            found.append((name, value.strip()))
        elif found:
            last, value = found[-1]
            found[-1] = last, f"{value}, {text}" if value else text
    return found
