"""Backlog.md: a folder of task files with YAML front matter; several files stand one after the other in one source.

A file starts with its front matter (`---`, `id: …`), so no other mark is needed between them.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from orchestrator.core.formats.items import Item, key_of, plan_of
from orchestrator.core.plan import Reading
from orchestrator.core.plan_findings import Findings
from orchestrator.core.plan_lines import split_lines

_FIELD: Final = re.compile(r"([A-Za-z_]{1,40}):(?:[ \t]+(.*))?")
_CRITERION: Final = re.compile(r"[-*+] \[([ xX])\] (?:#\d{1,6} )?(.*)")
_PREFIX: Final = re.compile(r"(?i)^(?:task|back)-(?=\d)")
_MARKER: Final = re.compile(r"<!-- (?:SECTION:[A-Z_]+|AC):(?:BEGIN|END) -->")


def looks_like(text: str) -> bool:
    """Whether the text opens with front matter that has an id, a title and a status."""
    first = next(_documents(split_lines(text)[:200]), None)
    return first is not None and {"id", "title", "status"} <= set(first[1])


def read(text: str) -> Reading:
    findings = Findings()
    items = [_item(*document, findings) for document in _documents(split_lines(text))]
    numbers = {_bare(item.key): item.key for item in items}
    for item in items:
        item.needs = [numbers.get(_bare(need), need) for need in item.needs]
        item.parent = numbers.get(_bare(item.parent), item.parent)
    name = items[0].title if len(items) == 1 else "Backlog"
    return Reading(plan_of(name, "", items, findings), findings.all())


Fields = dict[str, list[str]]


def _documents(lines: list[str]) -> Iterator[tuple[int, Fields, list[str]]]:
    """Each file as the line it starts on, its front matter and its body."""
    starts = [n for n, line in enumerate(lines) if line.rstrip() == "---" and _opens(lines, n)]
    for start, end in pairwise([*starts, len(lines)]):
        close = next((n for n in range(start + 1, end) if lines[n].rstrip() == "---"), start)
        yield start + 1, _fields(lines[start + 1 : close]), lines[close + 1 : end]


def _opens(lines: list[str], position: int) -> bool:
    after = next((line for line in lines[position + 1 : position + 4] if line.strip()), "")
    return after.startswith("id:")


def _fields(lines: list[str]) -> Fields:
    """Plain values, `[a, b]` and indented `- item` lines; nothing of YAML that could act (B16, B17)."""
    fields: Fields = {}
    current: list[str] = []
    for line in lines:
        found = _FIELD.fullmatch(line.rstrip())
        if found:
            current = fields.setdefault(found[1], [])
            current += _values(found[2] or "")
        elif line.strip().startswith("- "):
            current.append(line.strip()[2:].strip().strip("'\""))
    return fields


def _values(text: str) -> list[str]:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [part.strip().strip("'\"") for part in text[1:-1].split(",") if part.strip()]
    return [text.strip("'\"")] if text and text not in (">-", "|", ">", "|-") else []


def _item(line: int, fields: Fields, body: list[str], findings: Findings) -> Item:
    def first(name: str) -> str:
        return next(iter(fields.get(name, [])), "")

    criteria = [(n, _CRITERION.fullmatch(text.strip())) for n, text in enumerate(body)]
    boxes = {n: found for n, found in criteria if found}
    text = [t for n, t in enumerate(body) if n not in boxes and not _MARKER.fullmatch(t.strip())]
    known = {"id", "title", "status", "dependencies", "parent_task_id"}
    kept = [f"{name}: {', '.join(values)}" for name, values in fields.items() if name not in known and values]
    if not first("title"):
        findings.add("untitled-step", line, f"The task {first('id')[:60]} has no title.", "Give it a title.")
    return Item(
        key=key_of(first("id")),
        title=" ".join(first("title").split())[:300],
        line=line,
        needs=[key_of(need) for need in fields.get("dependencies", [])],
        parent=key_of(first("parent_task_id")),
        details=["\n".join([*kept, *text]).strip("\n")],
        exits=[found[2].strip()[:500] for found in boxes.values() if found[2].strip()],
        done=first("status").strip().lower() in {"done", "closed", "complete", "completed"},
    )


def _bare(key: str) -> str:
    """Old prefixes stand in links: task-12 and BACK-12 are the same task."""
    return _PREFIX.sub("", key).lower()
