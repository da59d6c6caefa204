"""Kiro's `tasks.md`: numbered boxes, `2.1` below `2`; a task with tasks below it is a group of them."""

import re
from typing import Final

from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.reader import read_prose

_TASK: Final = re.compile(
    r"(?m)^[ \t]{0,8}[-*+][ \t]+\[[^\]\n]{0,3}\]\*?[ \t]+\d{1,3}(?:\.\d{1,3}){0,3}\.?[ \t]+\S"
)
_OWN: Final = re.compile(r"(?mi)^[ \t]*[-*+]?[ \t]*_requirements?:|^#[ \t]+implementation (?:plan|tasks)\b")


def looks_like(text: str) -> bool:
    return bool(_TASK.search(text) and _OWN.search(text))


def read(text: str) -> Reading:
    return read_prose(text, "a Kiro task list")
