"""OpenSpec's `tasks.md`: `## 1. Group` with `- [ ] 1.1 text`; every group is a stage."""

import re
from typing import Final

from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.reader import read_prose

_GROUP: Final = re.compile(r"(?m)^##[ \t]+\d{1,3}\.?[ \t]+\S")
_TASK: Final = re.compile(r"(?m)^[ \t]{0,3}[-*+][ \t]+(?:\[[^\]\n]{0,3}\][ \t]*)?(?:\*\*)?\d{1,3}\.\d{1,3}\b")


def looks_like(text: str) -> bool:
    return bool(_GROUP.search(text) and _TASK.search(text))


def read(text: str) -> Reading:
    return read_prose(text, "an OpenSpec task list", everywhere=True)
