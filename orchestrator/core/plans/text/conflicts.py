"""Merge conflicts that were left in a plan of any format (B13)."""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import finding

_START: Final = re.compile(r"(?m)^<{7}(?: .{0,200})?$")
_END: Final = re.compile(r"(?m)^>{7}(?: .{0,200})?$")


def conflicts_in(text: str, told: frozenset[int]) -> Iterator[Finding]:
    """One finding for each conflict, on its first line; `told` are lines that a reader told already."""
    if "<<<<<<<" not in text or not _END.search(text):
        return
    line, last = 1, 0
    for start in _START.finditer(text):
        line += text.count("\n", last, start.start())
        last = start.start()
        if line not in told:
            message = "A merge conflict stands in the plan: both of its sides were read."
            yield finding("conflict-marker", line, message, "Keep one side and take out the marks.")
