"""Check boxes as people fill them: `[ ]`, `[x]`, `[ x ]`, `[~]`, `[/]`, `[-]`, `[>]`, `[?]` and others."""

import re
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.terms import TaskStatus

#: One box: nothing, or one mark with spaces around it; a letter other than x is a label of spec-kit's.
BOX: Final = r"\[[ \t]{0,3}(?:[xX]|[^\w\s\[\]()`]\ufe0f?)?[ \t]{0,3}\]"
_BOX: Final = re.compile(rf"({BOX})(?![(\[:])[ \t]*(.*)", re.DOTALL)

_STATES: Final = {
    "": TaskStatus.PENDING,
    "x": TaskStatus.COMPLETE,
    "✓": TaskStatus.COMPLETE,
    "✔": TaskStatus.COMPLETE,
    "✅": TaskStatus.COMPLETE,
    "☑": TaskStatus.COMPLETE,
    "~": TaskStatus.ACTIVE,
    "/": TaskStatus.ACTIVE,
    "!": TaskStatus.BLOCKED,
    "-": TaskStatus.CANCELLED,
    "–": TaskStatus.CANCELLED,
}
#: The mark that a box gets for a status; an open one needs none, a review is work that was begun.
MARKS: Final = {
    TaskStatus.COMPLETE: "x",
    TaskStatus.ACTIVE: "~",
    TaskStatus.REVIEW: "~",
    TaskStatus.BLOCKED: "!",
    TaskStatus.CANCELLED: "-",
    TaskStatus.SKIPPED: "-",
}


def split_box(text: str) -> tuple[str, str] | None:
    """`[ x ] text` -> (`x`, `text`); the mark of an open box is empty. None when no box stands in front."""
    box = _BOX.fullmatch(text) if text.startswith("[") else None
    return (box[1].strip("[] \t\ufe0f").lower(), box[2].strip()) if box else None


def status_of_mark(mark: str, line: int, findings: Findings) -> TaskStatus:
    """The status that a mark means; one that nobody knows is told, and the task counts as open."""
    status = _STATES.get(mark.strip(" \t\ufe0f").lower())
    if status is None:
        message = f"Nobody knows the mark “[{mark}]”, so the task counts as open."
        fix = "Use [ ] for open, [x] for done, [~] for begun, [!] for blocked or [-] for dropped."
        findings.add("unreadable-value", line, message, fix)
    return status or TaskStatus.PENDING
