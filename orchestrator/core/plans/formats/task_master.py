"""task-master's `tasks.json`: `{tasks, metadata}` or `{TAG: {tasks, metadata}}`, with subtasks.

A tag is a list of its own that numbers its tasks from 1, so a file of several tags holds several plans: it is
split before it is read (`folder.py`), or one tag of it is chosen.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.items import Item, key_of, name_by_content, reading_of
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


USUAL_TAG: Final = "master"
#: Names of tags and projects that say nothing.
_USUAL: Final = frozenset({"", USUAL_TAG, "main", "default", "tasks"})


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
    if len(tags) > 1:
        named = ", ".join(f"{plain(tag)[:40]} ({len(tasks)} tasks)" for tag, tasks in list(tags.items())[:10])
        message = f"The file has {len(tags)} tags, each a plan of its own: {named}."
        fix = "Choose one tag, or submit each as a workstream of its own."
        findings.add("several-plans", 1, message, fix)
        return Reading(None, findings.all())
    ((tag, tasks),) = tags.items()
    lines = Lines(text)
    items = [item for task in tasks for item in _task(task, "", lines, findings)]
    _find_outside(items, findings)
    meta = member(value, "metadata") or member(value.get(tag), "metadata")
    name = _name(tag, meta) or name_by_content([item.title for item in items], findings)
    return reading_of(name, plain(meta.get("description")), items, findings)


def _name(tag: str, meta: Mapping[str, Any]) -> str:
    """The project and the tag; the tag that every file has says nothing."""
    project = name_of(meta.get("projectName") or meta.get("name"))
    own = name_of(tag) if tag.strip().lower() not in _USUAL else ""
    if project.lower() in _USUAL:
        project = ""
    return name_of(f"{project}: {own}") if project and own else project or own


def tags_in(text: str) -> dict[str, int]:
    """How many tasks each tag of a file has.

    Tags without any are left out, and a file without tags has none.
    """
    tags = _by_tag(load(text, Findings()))
    return {tag: len(tasks) for tag, tasks in tags.items() if tag and tasks}


def only(text: str, tags: Sequence[str]) -> list[str]:
    """The file of each of these tags alone."""
    value = load(text, Findings())
    return [json.dumps({tag: value[tag]}, indent=2, ensure_ascii=False) + "\n" for tag in tags]


def _find_outside(items: list[Item], findings: Findings) -> None:
    """A plain number in a subtask names a task of the file when no subtask beside it has that number.

    Its own parent is one of them (`reading/parents.py`).
    """
    known = {item.key for item in items}
    for item in items:
        for position, need in enumerate(item.needs):
            outside = need.removeprefix(f"{item.parent}.") if item.parent else need
            if need in known or outside not in known:
                continue
            item.needs[position] = outside
            if outside != item.parent:
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
