"""The tasks of a JSON source, at any depth, found in the value itself and not by a reader's schema."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any, Final

from orchestrator.core.plans.reading.json_source import without_comments
from orchestrator.core.plans.work_lines import WorkKind, WorkLine

_TITLES: Final = ("title", "content", "step", "task", "name", "text", "summary", "description")
#: Members that list tasks; what stands in other lists is a task only when it has a state or a dependency.
_TASK_LISTS: Final = frozenset(
    {"tasks", "subtasks", "steps", "todos", "todo", "items", "plan", "newTodos", "todo_list", "list"}
)
_HOLDERS: Final = frozenset({"stages", "batches", "threads", "steps", "tasks", "streams"})
_TELLS: Final = frozenset(
    {"status", "state", "dependencies", "depends_on", "done", "completed", "issue_type"}
)
_NEEDS: Final = ("dependencies", "depends_on", "dependsOn", "needs", "blockedBy", "blocked_by")
_NO_WAIT: Final = frozenset({"parent-child", "related", "discovered-from"})
_GONE: Final = frozenset({"tombstone", "deleted"})
_TITLED: Final = re.compile(rf'"(?:{"|".join(_TITLES)})"[ \t\r\n]*:[ \t\r\n]*("(?:[^"\\\n]|\\.)*")')


def work_in_json(text: str, first: int = 1) -> Iterator[WorkLine]:
    """The tasks of one JSON text whose first line is `first`."""
    value = _loaded(without_comments(text))
    if value is None:
        yield from work_in_json_lines(text.split("\n"), first)
        return
    lines = _TitleLines(text, first)
    for title, needs in _tasks_in(value):
        number = lines.take(title)
        yield WorkLine(number, WorkKind.TASK, title)
        if needs:
            yield WorkLine(number, WorkKind.DEPENDENCY, ", ".join(needs), before=title)


def work_in_json_lines(texts: list[str], first: int = 1) -> Iterator[WorkLine]:
    """The tasks of JSON texts that stand one on a line."""
    for number, text in enumerate(texts, first):
        if not text.lstrip("\ufeff \t").startswith("{"):
            continue
        for title, needs in _tasks_in([_loaded(text)], issues=True):
            yield WorkLine(number, WorkKind.TASK, title)
            if needs:
                yield WorkLine(number, WorkKind.DEPENDENCY, ", ".join(needs), before=title)


def _loaded(text: str) -> Any:
    """The value of a JSON text; None when it is none, which its reader tells."""
    try:
        return json.loads(text.strip().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _tasks_in(value: Any, *, issues: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Each task's title and what it waits for, in the order of the source."""
    rest: list[tuple[Any, bool]] = [(value, issues or isinstance(value, list))]
    while rest:
        part, listed = rest.pop()
        if isinstance(part, list):
            rest += [(inner, listed) for inner in reversed(part)]
        elif isinstance(part, dict):
            if title := _title_of(part, listed):
                yield title, _needs_of(part)
            rest += [(part[name], name in _TASK_LISTS) for name in reversed(part) if _holds(name, part[name])]
        elif listed and isinstance(part, str) and part.strip():
            yield part, []


def _holds(name: str, value: Any) -> bool:
    """Whether a member may hold tasks: a list of them, or something with such a list below it."""
    return isinstance(value, dict) or (
        isinstance(value, list) and (name in _TASK_LISTS or _has_objects(value))
    )


def _has_objects(value: list[Any]) -> bool:
    return any(isinstance(inner, dict | list) for inner in value)


def _title_of(part: dict[str, Any], listed: bool) -> str:
    if any(isinstance(part.get(name), list) for name in _HOLDERS) or "answered" in part:
        return ""
    if str(part.get("status")) in _GONE or not (listed or _TELLS & part.keys()):
        return ""
    return next(
        (part[name] for name in _TITLES if isinstance(part.get(name), str) and part[name].strip()), ""
    )


def _needs_of(part: dict[str, Any]) -> list[str]:
    given: list[Any] = next((part[name] for name in _NEEDS if isinstance(part.get(name), list)), [])
    needs = []
    for need in given:
        if isinstance(need, dict) and need.get("type", "blocks") not in _NO_WAIT:
            needs.append(str(need.get("depends_on_id") or need.get("id") or ""))
        elif isinstance(need, str | int) and not isinstance(need, bool):
            needs.append(str(need))
    return [need for need in needs if need.strip()]


class _TitleLines:
    """The line of each title; titles that stand several times are taken in turn."""

    def __init__(self, text: str, first: int) -> None:
        self._lines: dict[str, deque[int]] = defaultdict(deque)
        line, last = first, 0
        for found in _TITLED.finditer(text):
            line += text.count("\n", last, found.start(1))
            last = found.start(1)
            self._lines[_unquoted(found[1])].append(line)

    def take(self, title: str) -> int:
        waiting = self._lines.get(title)
        return waiting.popleft() if waiting else 0


def _unquoted(literal: str) -> str:
    if "\\" not in literal:
        return literal[1:-1]
    try:
        return str(json.loads(literal))
    except ValueError:
        return literal[1:-1]
