"""task-master's `tasks.json`: `{tasks, metadata}` or `{TAG: {tasks, metadata}}`, with subtasks."""

from collections.abc import Iterator
from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.items import Item, key_of, reading_of
from orchestrator.core.plans.reading.json_source import (
    LONGEST_AGENT,
    LONGEST_TITLE,
    Lines,
    listed,
    load,
    member,
    name_of,
    one_line,
    plain,
)
from orchestrator.core.plans.reading.progress import note_of, status_of

_READ: Final = frozenset(
    {
        "id",
        "title",
        "description",
        "details",
        "testStrategy",
        "dependencies",
        "status",
        "subtasks",
        "assignee",
    }
)


def looks_like(value: Any) -> bool:
    """Whether a JSON value has task-master's shape: tasks with titles, perhaps under tags."""
    return any(
        isinstance(task, dict) and "title" in task for tasks in _by_tag(value).values() for task in tasks[:5]
    )


def read(text: str) -> Reading:
    findings = Findings()
    value = load(text, findings)
    if value is None:
        return Reading(None, findings.all())
    tags = {tag: tasks for tag, tasks in _by_tag(value).items() if tasks}
    if not tags:
        message = "The file lists no tasks in a form that is known."
        findings.add("no-step", 0, message, "Submit a PLAN.md, or the file of a tool that is read here.")
        return Reading(None, findings.all())
    lines = Lines(text)
    items: list[Item] = []
    for tag, tasks in tags.items():
        prefix = f"{key_of(tag)}-" if len(tags) > 1 else ""
        for task in tasks:
            items += _task(task, prefix, lines, findings)
    _find_outside(items, findings)
    if len(tags) > 1:
        message = (
            f"The file has the tags {', '.join(plain(tag)[:40] for tag in list(tags)[:10])}; all are read."
        )
        findings.add("inferred-key", 1, message, "Submit one file for each tag to keep them apart.")
    meta = member(value, "metadata") or member(next(iter(value.values()), None), "metadata")
    name = name_of(meta.get("projectName") or meta.get("name")) or "Tasks"
    return reading_of(name, plain(meta.get("description")), items, findings)


def _find_outside(items: list[Item], findings: Findings) -> None:
    """A plain number in a subtask names a task of the file when no subtask beside it has that number."""
    known = {item.key for item in items}
    for item in items:
        for position, need in enumerate(item.needs):
            outside = need.removeprefix(f"{item.parent}.") if item.parent else need
            if need not in known and outside in known and outside != item.parent:
                item.needs[position] = outside
                message = f"{item.key} waits for {outside}: there is no subtask {need}."
                findings.add("inferred-needs", item.line, message, "Check that this is what the file means.")


def _by_tag(value: Any) -> dict[str, list[Any]]:
    if not isinstance(value, dict):
        return {}
    if isinstance(value.get("tasks"), list):
        return {"": value["tasks"]}
    return {
        tag: inner["tasks"]
        for tag, inner in value.items()
        if isinstance(member(value, tag).get("tasks"), list)
    }


def _task(task: Any, prefix: str, lines: Lines, findings: Findings) -> Iterator[Item]:
    item = _item(task, prefix, "", lines, findings)
    if item is None:
        return
    yield item
    yield from _below(task, item, prefix, lines, findings)


def _below(
    task: dict[str, Any], parent: Item, prefix: str, lines: Lines, findings: Findings
) -> Iterator[Item]:
    """The subtasks of a task, and theirs; JSON is nested no deeper than `DEEPEST`."""
    for value in listed(task.get("subtasks")):
        item = _item(value, prefix, parent.key, lines, findings)
        if item is not None:
            yield item
            yield from _below(value, item, prefix, lines, findings)


def _item(task: Any, prefix: str, parent: str, lines: Lines, findings: Findings) -> Item | None:
    if not isinstance(task, dict):
        findings.add("unreadable-value", 0, f"A task is not an object: {plain(task)[:60]}", "Take it out.")
        return None
    line = lines.take(task.get("id"))
    own = key_of(plain(task.get("id")))
    below = f"{parent}." if parent and not own.startswith(f"{parent.removeprefix(prefix)}.") else prefix
    strategy = plain(task.get("testStrategy"))
    details = [plain(task.get("description")), plain(task.get("details"))]
    kept = [f"{plain(name)}: {plain(task[name])}" for name in task if name not in _READ and plain(task[name])]
    details.append("\n".join(kept))
    return Item(
        key=f"{below}{own}" if own else "",
        title=one_line(task.get("title"), LONGEST_TITLE),
        line=line,
        needs=[_need(need, prefix, parent) for need in listed(task.get("dependencies")) if plain(need)],
        parent=parent,
        details=[text for text in details if text],
        exits=[one_line(strategy, 500)] if strategy else [],
        status=status_of(plain(task.get("status")), line, findings),
        breadcrumb=note_of(plain(task.get("status"))),
        agent=one_line(task.get("assignee"), LONGEST_AGENT),
    )


def _need(need: Any, prefix: str, parent: str) -> str:
    """Inside a task a plain number names a subtask beside it.

    A dotted one, and every one outside, the whole file's.
    """
    name = key_of(plain(need))
    return f"{parent}.{name}" if parent and "." not in name else f"{prefix}{name}"
