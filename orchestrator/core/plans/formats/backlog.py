"""Backlog.md: a folder of task files with YAML front matter; several files stand one after the other in one
source.

A file starts with its front matter (`---`, `id: …`), so no other mark is needed between them.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.items import Item, key_of, name_by_content, reading_of
from orchestrator.core.plans.reading.json_source import LONGEST_AGENT, LONGEST_TITLE, name_of, one_line
from orchestrator.core.plans.reading.progress import note_of, status_of
from orchestrator.core.plans.text.lines import split_lines

_FIELD: Final = re.compile(r"([A-Za-z_]{1,40}):(?:[ \t]+(.*))?")
_CRITERION: Final = re.compile(r"[-*+] \[([ xX])\] (?:#\d{1,6} )?(.*)")
_PREFIX: Final = re.compile(r"^[A-Za-z]{1,20}-(?=\d)")
_MARKER: Final = re.compile(r"<!-- (?:(?:SECTION:[A-Z_]+|AC|DOD):(?:BEGIN|END)|file: .*) -->")
_HEADING: Final = re.compile(r"#{1,6} (.*)")
#: Sections whose boxes are steps of the author's own, not what proves the task.
_NOTES: Final = frozenset({"implementation plan", "implementation notes", "notes", "plan", "final summary"})
_READ: Final = frozenset({"id", "title", "status", "dependencies", "parent_task_id", "assignee"})
_LEFT_OUT: Final = frozenset({"created_date", "updated_date", "ordinal", "created", "updated"})
_BLOCK: Final = frozenset({">", ">-", "|", "|-", ">+", "|+"})


def looks_like(text: str) -> bool:
    """Whether the text opens with front matter that has an id, a title and a status."""
    first = next(_documents(split_lines(text[:200_000])[:200], Findings()), None)
    return first is not None and {"id", "title", "status"} <= set(first[1])


def read(text: str) -> Reading:
    findings = Findings()
    items = [_item(*document, findings) for document in _documents(split_lines(text), findings)]
    known = {item.key for item in items}
    numbers = {_bare(item.key): item.key for item in reversed(items)}
    for item in items:
        item.needs = [_known(need, known, numbers) for need in item.needs]
        item.parent = _known(item.parent, known, numbers)
    name = name_of(items[0].title) if len(items) == 1 else ""
    name = name or name_by_content([item.title for item in items], findings)
    return reading_of(name, "", items, findings)


Fields = dict[str, list[str]]


def _documents(lines: list[str], findings: Findings) -> Iterator[tuple[int, Fields, list[str]]]:
    """Each file as the line it starts on, its front matter and its body."""
    starts = [n for n, line in enumerate(lines) if line.rstrip() == "---" and _opens(lines, n)]
    for start, end in pairwise([*starts, len(lines)]):
        close = next((n for n in range(start + 1, end) if lines[n].rstrip() == "---"), start)
        yield start + 1, _fields(lines[start + 1 : close], start + 2, findings), lines[close + 1 : end]


def _opens(lines: list[str], position: int) -> bool:
    after = next((line for line in lines[position + 1 : position + 4] if line.strip()), "")
    return after.startswith("id:")


def _fields(lines: list[str], first: int, findings: Findings) -> Fields:
    """Plain values, `[a, b]`, indented `- item` lines and folded text.

    What could act in YAML is refused (B16, B17).
    """
    fields: Fields = {}
    current: list[str] = []
    folded = False
    for number, line in enumerate(lines, first):
        found = _FIELD.fullmatch(line.rstrip())
        if found:
            _tell_odd(found[1], found[2] or "", number, fields, findings)
            current = fields.setdefault(found[1], [])
            folded = (found[2] or "").strip() in _BLOCK
            current += [] if folded else _values(found[2] or "")
        elif folded and line.startswith((" ", "\t")):
            current[:] = [" ".join([*current, line.strip()])]
        elif line.strip().startswith("- "):
            current.append(line.strip()[2:].strip().strip("'\""))
    return fields


def _tell_odd(name: str, value: str, number: int, fields: Fields, findings: Findings) -> None:
    if name in fields:
        message = f"“{name}” stands twice in the front matter; both are read."
        findings.add("unreadable-value", number, message, "Keep one of the two lines.")
    if value.strip()[:1] in tuple("&*!"):
        message = f"“{name}” uses an anchor, an alias or a tag of YAML, which are not read."
        findings.add("front-matter", number, message, "Write the value itself.")


def _values(text: str) -> list[str]:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [part.strip().strip("'\"") for part in text[1:-1].split(",") if part.strip()]
    if len(text) > 1 and text[0] == text[-1] == "'":
        return [text[1:-1].replace("''", "'")]
    if len(text) > 1 and text[0] == text[-1] == '"':
        return [text[1:-1].replace('\\"', '"')]
    return [text] if text else []


def _item(line: int, fields: Fields, body: list[str], findings: Findings) -> Item:
    def first(name: str) -> str:
        return next(iter(fields.get(name, [])), "")

    boxes, text = _sorted(body)
    kept = [
        f"{name}: {', '.join(values)}"
        for name, values in fields.items()
        if name not in _READ and name not in _LEFT_OUT and values
    ]
    return Item(
        key=key_of(first("id")),
        title=one_line(first("title"), LONGEST_TITLE),
        line=line,
        needs=[key for need in fields.get("dependencies", []) if (key := key_of(need))],
        parent=key_of(first("parent_task_id")),
        details=["\n".join(text).strip("\n"), "\n".join(kept)],
        exits=boxes,
        status=status_of(first("status").strip(" ✓✔"), line, findings),
        breadcrumb=note_of(first("status")),
        agent=one_line(first("assignee").lstrip("@"), LONGEST_AGENT),
    )


def _sorted(body: list[str]) -> tuple[list[str], list[str]]:
    """The acceptance criteria, and everything else as text.

    The boxes of plans and notes stay where they are.
    """
    boxes: list[str] = []
    text: list[str] = []
    notes = False
    for line in body:
        heading = _HEADING.fullmatch(line.strip())
        notes = heading[1].strip().lower() in _NOTES if heading else notes
        box = None if notes else _CRITERION.fullmatch(line.strip())
        if box and box[2].strip():
            boxes.append(box[2].strip()[:500])
        elif not _MARKER.fullmatch(line.strip()):
            text.append(line)
    return boxes, text


def _known(name: str, known: set[str], numbers: dict[str, str]) -> str:
    """Old prefixes stand in links: task-12 and BACK-12 are the same task."""
    return name if not name or name in known else numbers.get(_bare(name), name)


def _bare(key: str) -> str:
    return _PREFIX.sub("", key).lower().lstrip("0") or key
