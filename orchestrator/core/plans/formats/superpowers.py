"""superpowers' plans: `### Task N: title` with Files, and steps of its own that belong to the task."""

import re
from typing import Final

from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.reader import read_prose

_TASK: Final = re.compile(r"(?m)^#{2,4}[ \t]+Task[ \t]+\d{1,4}[a-z]?[ \t]*[:.–-]")
_OWN: Final = re.compile(
    r"(?mi)^>[ \t]*(?:\*\*)?for (?:agentic workers|claude)\b|^[-*+ \t\[\]xX]{0,8}\*\*step \d{1,3}[:.]"
    r"|superpowers:"
)


def looks_like(text: str) -> bool:
    """Whether tasks stand as headings, with the header or the bold steps that superpowers writes."""
    return bool(_TASK.search(text) and _OWN.search(text))


def read(text: str) -> Reading:
    return read_prose(text, "a superpowers plan")
