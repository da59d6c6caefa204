"""beads' issues as JSONL, one object a line. Epics end when their issues do; tombstones are left out.

An issue that stands twice, as merges leave it, counts as its later version stands; two issues that were given
one id are both kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.items import Item, key_of, name_by_content, reading_of
from orchestrator.core.plans.reading.json_source import (
    LONGEST_AGENT,
    LONGEST_TITLE,
    Loader,
    listed,
    name_of,
    one_line,
    plain,
)
from orchestrator.core.plans.reading.progress import note_of, status_of
from orchestrator.core.plans.text.lines import split_lines

BLOCKING: Final = frozenset({"blocks", "conditional-blocks", "waits-for"})
_CONFLICT: Final = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
#: Issues under one id that a further one is held against.
_VERSIONS: Final = 100
_READ: Final = frozenset(
    {"id", "title", "description", "acceptance_criteria", "status", "dependencies", "design", "notes"}
    | {"assignee", "close_reason"}
)
#: When and by whom an issue was written says nothing about the work.
_LEFT_OUT: Final = frozenset(
    {"created_at", "created_by", "updated_at", "closed_at", "content_hash", "source_repo"}
)


def looks_like(text: str) -> bool:
    """Whether the first lines that hold an object have beads' keys."""
    loader = Loader()
    for line in split_lines(text[:200_000])[:20]:
        value = _object(line, loader)
        if value is not None:
            return "id" in value and "title" in value and ("issue_type" in value or "priority" in value)
    return False


def read(text: str) -> Reading:
    findings = Findings()
    gone: set[str] = set()
    items: list[Item] = []
    for issue in _newest(_issues(text, findings), findings):
        if issue.of("status") == "tombstone":
            gone.add(key_of(issue.of("id")))
        else:
            items.append(_item(issue.value, issue.line, findings))
    gone -= {item.key for item in items}
    if gone:
        message = f"{len(gone)} deleted issues (tombstones) are left out: {', '.join(sorted(gone)[:8])}."
        findings.add("left-out", 0, message, "Nothing to do.")
    for item in items:
        item.needs = [need for need in item.needs if need not in gone]
        item.parent = "" if item.parent in gone else item.parent
    parents = {item.parent for item in items}
    epics = [item.title for item in items if not item.parent and item.key in parents]
    name = name_of(epics[0]) if len(epics) == 1 else ""
    name = name or name_by_content([item.title for item in items], findings)
    return reading_of(name, "", items, findings)


@dataclass(frozen=True, slots=True)
class _Issue:
    """One object with its line; `merged` that it stands between the marks of a merge conflict."""

    value: dict[str, Any]
    line: int
    merged: bool

    def of(self, name: str) -> str:
        return plain(self.value.get(name))

    def is_version_of(self, other: "_Issue") -> bool:
        """Whether two objects under one id are versions of one issue, as merges leave them, and not two
        issues that were made at once: the time of creation tells, else the title or the merge."""
        mine, its = self.of("created_at"), other.of("created_at")
        if mine and its:
            return mine == its
        return self.of("title") == other.of("title") or self.merged or other.merged


def _issues(text: str, findings: Findings) -> Iterator[_Issue]:
    """Every issue with its line; what is none is told."""
    loader, merged = Loader(), False
    for number, line in enumerate(split_lines(text), 1):
        if not line.strip():
            continue
        value = _object(line, loader, findings, number)
        if line.startswith(_CONFLICT):
            merged = not line.startswith(">>>>>>>")
            findings.add(
                "conflict-marker", number, "A merge conflict was left in the file.", "Resolve the conflict."
            )
        elif value is None:
            findings.add(
                "line-left-out", number, "The line is not a JSON object and is left out.", "Correct the line."
            )
        else:
            yield _Issue(value, number, merged)


def _newest(issues: Iterator[_Issue], findings: Findings) -> Iterator[_Issue]:
    """Of the versions of one issue the latest; issues that only share an id are all kept."""
    kept: dict[str, list[_Issue]] = {}
    for issue in issues:
        alike = kept.setdefault(issue.of("id") or f"\0{issue.line}", [])
        place = next((n for n, other in enumerate(alike[:_VERSIONS]) if issue.is_version_of(other)), None)
        if place is None:
            alike.append(issue)
            continue
        other = alike[place]
        message = (
            f"The issue {issue.of('id')[:60]} stands on line {other.line} and again here; the later "
            f"version counts."
        )
        findings.add("duplicate-id", issue.line, message, "Keep one of the two lines.")
        if issue.of("updated_at") >= other.of("updated_at"):
            alike[place] = issue
    yield from (issue for alike in kept.values() for issue in alike)


def _object(
    line: str, loader: Loader, findings: Findings | None = None, number: int = 0
) -> dict[str, Any] | None:
    if not line.lstrip("\ufeff \t").startswith("{"):
        return None
    value = loader.load_line(line.lstrip("\ufeff"), findings or Findings(), number)
    return value if isinstance(value, dict) else None


def _item(value: dict[str, Any], number: int, findings: Findings) -> Item:
    links = [link for link in listed(value.get("dependencies")) if isinstance(link, dict)]
    named = [
        (plain(link.get("type")) or "blocks", key_of(plain(link.get("depends_on_id")))) for link in links
    ]
    details = [plain(value.get(name)) for name in ("description", "design", "notes")]
    others = [(name, value[name]) for name in value if name not in _READ and name not in _LEFT_OUT]
    kept = [f"{plain(name)}: {text[:500]}" for name, one in others if (text := plain(one))]
    kept += [f"{kind}: {other}" for kind, other in named if kind not in BLOCKING and kind != "parent-child"]
    criteria = plain(value.get("acceptance_criteria"))
    return Item(
        key=key_of(plain(value.get("id"))),
        title=one_line(value.get("title"), LONGEST_TITLE),
        line=number,
        needs=[other for kind, other in named if kind in BLOCKING and other],
        parent=next((other for kind, other in named if kind == "parent-child"), ""),
        details=[text for text in [*details, "\n".join(kept)] if text],
        exits=[text for line in criteria.split("\n") if (text := _criterion(line))],
        status=status_of(plain(value.get("status")), number, findings),
        breadcrumb=note_of(plain(value.get("status"))),
        report=plain(value.get("close_reason")),
        agent=one_line(value.get("assignee"), LONGEST_AGENT),
    )


def _criterion(line: str) -> str:
    """A line of the criteria without its bullet and its box."""
    line = line.strip(" -*+\t")
    return (line[3:] if line[:3] in ("[ ]", "[x]", "[X]") else line).strip()[:500]
