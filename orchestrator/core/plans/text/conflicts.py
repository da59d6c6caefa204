"""Merge conflicts that were left in a plan of any format (B13)."""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.text.lines import LineKind, scan, split_lines

#: A mark alone, or with the name of its side; editors may have indented it.
_MARK: Final = re.compile(r"[ \t]{0,8}(<{7}|\|{7}|={7}|>{7})(?:[ \t].{0,200})?[ \t]*", re.DOTALL)


def conflicts_in(text: str, told: frozenset[int]) -> Iterator[Finding]:
    """One finding for each conflict, on its first line; `told` are lines that a reader told already."""
    if "<<<<<<<" not in text:
        return
    for number, line in enumerate(split_lines(text), 1):
        if _mark_of(line) == "<" and number not in told:
            message = "A merge conflict stands in the plan: both of its sides were read."
            yield finding("conflict-marker", number, message, "Keep one side and take out the marks.")


def without_marks(text: str) -> str:
    """The text with empty lines for the marks of conflicts, and for what neither side says.

    Marks in code are code. Lines keep their numbers.
    """
    if "<<<<<<<" not in text:
        return text
    texts = split_lines(text)
    inside = old = False
    for line in scan(texts).lines:
        mark = "" if line.kind is LineKind.CODE else _mark_of(line.raw)
        inside = inside or mark == "<"
        old = (old or mark == "|") and inside and mark not in ("=", ">")
        if inside and (mark or old):
            texts[line.number - 1] = ""
        inside = inside and mark != ">"
    return "\n".join(texts)


def _mark_of(line: str) -> str:
    found = _MARK.fullmatch(line) if "<<<<<<<" in line or line.lstrip()[:1] in ("=", "|", ">") else None
    return found[1][0] if found else ""
