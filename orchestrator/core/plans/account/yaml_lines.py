"""The entries of a YAML source that look like work: what stands in lists of steps or tasks, at any depth."""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.core.plans.account.dependencies import LABELLED
from orchestrator.core.plans.work_lines import WorkKind, WorkLine

_TASK_LISTS: Final = frozenset(
    {"steps", "tasks", "items", "actions", "todos", "subtasks", "work", "work_packages"}
)
_KEY: Final = re.compile(r"[\"']?([\w -]{1,80}?)[\"']?[ \t]*:(?:[ \t]+(.*)|\Z)", re.DOTALL)
#: A text in quotation marks, with a comment behind it perhaps.
_QUOTED: Final = re.compile(r"(?:\"([^\"]{0,2000})\"|'([^']{0,2000})')[ \t]*(?:#.*)?")
_BLOCK: Final = re.compile(r"[|>][+-]?\d?[ \t]*(?:#.*)?")
_TITLED: Final = frozenset(
    {"title", "name", "task", "step", "content", "summary", "description", "id", "key"}
)
_NEEDS: Final = frozenset(
    {"depends_on", "dependsOn", "dependencies", "needs", "requires", "blocked_by", "after", "depends-on"}
)


def work_in_yaml(texts: list[str], first: int = 1) -> Iterator[WorkLine]:
    """The entries of lists under `steps`, `tasks` and the like, and what they wait for, line by line."""
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
            yield from _entry(number, body, opened[-1][1] if opened else "")
            indent, text = indent + len(text) - len(body), body
        key = _KEY.match(text) if not _QUOTED.fullmatch(text) else None
        if key and _BLOCK.fullmatch(key[2] or ""):
            block = indent
        elif key:
            opened.append((indent, key[1]))
            yield from _said(number, key[1], key[2] or "")


def _entry(number: int, body: str, under: str) -> Iterator[WorkLine]:
    """What an entry of a list below a key is."""
    if under in _TASK_LISTS:
        yield WorkLine(number, WorkKind.TASK, _titled(body))
    elif under in _NEEDS and _KEY.match(body) is None:
        yield WorkLine(number, WorkKind.DEPENDENCY, body.strip("\"' "), LABELLED)


def _said(number: int, name: str, value: str) -> Iterator[WorkLine]:
    """What a key says of dependencies on its own line."""
    if name in _NEEDS and (needs := _listed(value)):
        yield WorkLine(number, WorkKind.DEPENDENCY, needs, LABELLED)


def _listed(value: str) -> str:
    """What stands in a list on one line; empty where it is empty, or says that nothing is waited for."""
    names = [name.strip("\"' ") for name in value.partition(" #")[0].strip(" []").split(",")]
    said = ", ".join(name for name in names if name)
    return "" if said.lower() in ("none", "null", "~", "nothing", "{}") or said.startswith("#") else said


def _titled(body: str) -> str:
    quoted = _QUOTED.fullmatch(body)
    if quoted:
        return quoted[1] or quoted[2] or ""
    key = _KEY.match(body)
    if key is None:
        return body.partition(" #")[0].rstrip()
    return (key[2] or "").strip("\"' ") if key[1] in _TITLED else ""
