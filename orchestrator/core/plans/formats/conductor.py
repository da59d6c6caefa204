"""conductor's `plan.md`: `## Phase N: name`, boxes `Task: title` with a commit behind finished ones."""

import re
from typing import Final

from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.reader import read_prose

_TASK: Final = re.compile(r"(?m)^[ \t]{0,4}[-*+][ \t]+\[[^\]\n]{0,3}\][ \t]+(?:\*\*)?Task:")


def looks_like(text: str) -> bool:
    return bool(_TASK.search(text))


def read(text: str) -> Reading:
    return read_prose(text, "a conductor plan")
