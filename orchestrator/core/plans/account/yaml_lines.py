"""The entries of a YAML source that look like work: what stands in lists of steps or tasks, at any depth."""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.core.plans.work_lines import WorkKind, WorkLine

_TASK_LISTS: Final = frozenset(
    {"steps", "tasks", "items", "actions", "todos", "subtasks", "work", "work_packages"}
)
_KEY: Final = re.compile(r"[\"']?([\w -]{1,80}?)[\"']?[ \t]*:(?:[ \t]+(.*)|\Z)", re.DOTALL)
_BLOCK: Final = re.compile(r"[|>][+-]?\d?[ \t]*(?:#.*)?")
_TITLED: Final = frozenset(
    {"title", "name", "task", "step", "content", "summary", "description", "id", "key"}
)
_NEEDS: Final = frozenset(
    {"depends_on", "dependsOn", "dependencies", "needs", "requires", "blocked_by", "after", "depends-on"}
)


def work_in_yaml(texts: list[str], first: int = 1) -> Iterator[WorkLine]:
    """The entries of lists under `steps`, `tasks` and the like."""
    #: The keys that are open, each with the column it stands in.
    opened: list[tuple[int, str]] = []
    block = -1
    for number, raw in enumerate(texts, first):
        text = raw.strip()
        if not text or text.startswith("#"):
            continue
        indent = len(raw) - len(raw.lstrip())
        if 0 <= block < indent:
            continue
        block = -1
        dash = text.startswith("- ")
        while opened and opened[-1][0] > (indent if dash else indent - 1):
            opened.pop()
        if dash:
            body = text[1:].lstrip()
            if opened and opened[-1][1] in _TASK_LISTS:
                yield WorkLine(number, WorkKind.TASK, _titled(body))
            indent, text = indent + len(text) - len(body), body
        key = _KEY.match(text)
        if key and _BLOCK.fullmatch(key[2] or ""):
            block = indent
        elif key:
            opened.append((indent, key[1]))


def _titled(body: str) -> str:
    key = _KEY.match(body)
    if key is None:
        return body
    return (key[2] or "").strip("\"' ") if key[1] in _TITLED else ""
