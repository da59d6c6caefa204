"""beads' issues as JSONL, one object a line. Epics end when their issues do; tombstones are left out."""

import json
from typing import Any, Final

from orchestrator.core.formats.items import Item, key_of, plan_of
from orchestrator.core.formats.json_source import listed, plain
from orchestrator.core.plan import Reading
from orchestrator.core.plan_findings import Findings
from orchestrator.core.plan_lines import split_lines

BLOCKING: Final = frozenset({"blocks", "conditional-blocks", "waits-for"})
_CONFLICT: Final = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_READ: Final = frozenset(
    {"id", "title", "description", "acceptance_criteria", "status", "dependencies", "design", "notes"}
)


def looks_like(text: str) -> bool:
    """Whether the first lines that hold an object have beads' keys."""
    for line in split_lines(text)[:20]:
        value = _object(line)
        if value is not None:
            return "id" in value and "title" in value and ("issue_type" in value or "priority" in value)
    return False


def read(text: str) -> Reading:
    findings = Findings()
    items: list[Item] = []
    gone: set[str] = set()
    for number, line in enumerate(split_lines(text), 1):
        if not line.strip():
            continue
        value = _object(line)
        if line.startswith(_CONFLICT):
            findings.add("conflict-marker", number, "A merge conflict was left in the file.", "Resolve the conflict.")
        elif value is None:
            findings.add("not-json", number, "The line is not a JSON object and is left out.", "Correct the line.")
        elif plain(value.get("status")) == "tombstone":
            gone.add(key_of(plain(value.get("id"))))
        else:
            items.append(_item(value, number))
    for item in items:
        item.needs = [need for need in item.needs if need not in gone]
    epic = next((item.title for item in items if not item.parent and any(i.parent == item.key for i in items)), "")
    return Reading(plan_of(epic or "Issues", "", items, findings), findings.all())


def _object(line: str) -> dict[str, Any] | None:
    if not line.lstrip("\ufeff \t").startswith("{"):
        return None
    try:
        value = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _item(value: dict[str, Any], number: int) -> Item:
    key = key_of(plain(value.get("id")))
    links = [link for link in listed(value.get("dependencies")) if isinstance(link, dict)]
    named = [(plain(link.get("type")), key_of(plain(link.get("depends_on_id")))) for link in links]
    details = [plain(value.get(name)) for name in ("description", "design", "notes")]
    details += [f"{plain(name)}: {plain(value[name])[:500]}" for name in value if name not in _READ]
    criteria = plain(value.get("acceptance_criteria"))
    return Item(
        key=key,
        title=" ".join(plain(value.get("title")).split())[:300],
        line=number,
        needs=[other for kind, other in named if kind in BLOCKING and other],
        parent=next((other for kind, other in named if kind == "parent-child"), ""),
        details=[text for text in details if text],
        exits=[line.strip(" -*\t")[:500] for line in criteria.split("\n") if line.strip(" -*\t")],
        done=plain(value.get("status")) in {"closed", "done"},
    )
