"""Plans that coding agents write in their plan mode: phases or numbered steps, with criteria that prove
them.
"""

import re
from typing import Final

from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.reader import read_prose

_PROVEN: Final = re.compile(
    r"(?mi)^#{2,5}[ \t]+(?:automated verification|manual verification|changes required)\b"
)
_CONTEXT: Final = re.compile(
    r"(?mi)^##[ \t]+(?:context|background|overview|goal|current state(?: analysis)?)[ \t:]*$"
)
_STEPS: Final = re.compile(
    r"(?mi)^##[ \t]+(?:plan|steps|(?:implementation|execution)(?: (?:steps|plan|order))?|changes)[ \t:]*$"
)


def looks_like(text: str) -> bool:
    """Whether criteria stand below phases, or a context before the steps."""
    return bool(_PROVEN.search(text) or (_CONTEXT.search(text) and _STEPS.search(text)))


def read(text: str) -> Reading:
    return read_prose(text, "a plan of a coding agent")
