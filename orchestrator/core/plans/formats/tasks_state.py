"""`tasks.json` of seed 000: the tasks of a workstream with the stage, batch and thread each stands in (WF-7).

Its ids are `SS.BB.TT.NN`. The order of stages, batches and threads is the order in which they first appear.
"""

from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats.rows import Placer, Row
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.build import build_plan
from orchestrator.core.plans.reading.drafts import PlanDraft
from orchestrator.core.plans.reading.items import Item, key_of, name_items, reading_with
from orchestrator.core.plans.reading.json_source import (
    LONGEST_AGENT,
    LONGEST_TITLE,
    Lines,
    listed,
    load,
    name_of,
    one_line,
    plain,
)
from orchestrator.core.plans.reading.progress import status_of
from orchestrator.core.plans.text.front_matter import FrontMatter

#: What belongs to the state of a task, or to the tool that kept it, and is no part of the work.
_READ: Final = frozenset(
    {
        "id",
        "name",
        "stage_name",
        "batch_name",
        "thread_name",
        "status",
        "breadcrumb",
        "report",
        "assigned_agent",
    }
    | {
        "created_at",
        "updated_at",
        "sessions",
        "currentSessionId",
        "attempt",
        "needs_human",
        "intervention_note",
    }
)


def looks_like(value: Any) -> bool:
    """Whether a JSON value lists tasks that name their stage or thread."""
    tasks = value.get("tasks") if isinstance(value, dict) else None
    if not isinstance(tasks, list):
        return False
    named = (isinstance(task, dict) and ("stage_name" in task or "thread_name" in task) for task in tasks[:5])
    return any(named) or ("stream_id" in value and not tasks)


def read(text: str) -> Reading:
    findings = Findings()
    value = load(text, findings)
    if not looks_like(value):
        message = "The file lists no task with its stage, batch and thread."
        findings.add("no-step", 0, message, "Submit a tasks.json as the workstream framework writes it.")
        return Reading(None, findings.all())
    rows = rows_of(value, text, findings)
    items = [row.item for row in rows]
    name_items(items, findings)
    draft = PlanDraft(name=name_of(value.get("stream_id")) or "Workstream")
    Placer(draft).put(rows)
    return reading_with(build_plan(draft, FrontMatter(), findings), items, findings)


def rows_of(value: dict[str, Any], text: str, findings: Findings) -> list[Row]:
    """The tasks of a loaded tasks.json in the order of the file."""
    lines = Lines(text)
    rows = []
    for task in listed(value.get("tasks")):
        if not isinstance(task, dict):
            findings.add(
                "unreadable-value", 0, f"A task is not an object: {plain(task)[:60]}", "Take it out."
            )
            continue
        names = [name_of(task.get(f"{what}_name")) for what in ("stage", "batch", "thread")]
        rows.append(Row(_item(task, lines.take(task.get("id")), findings), (names[0], names[1], names[2])))
    return rows


def _item(task: dict[str, Any], line: int, findings: Findings) -> Item:
    return Item(
        key=key_of(plain(task.get("id"))),
        title=one_line(task.get("name"), LONGEST_TITLE),
        line=line,
        details=["\n".join(f"{plain(name)}: {plain(task[name])}" for name in task if name not in _READ)],
        status=status_of(plain(task.get("status")), line, findings),
        breadcrumb=plain(task.get("breadcrumb")),
        report=plain(task.get("report")),
        agent=one_line(task.get("assigned_agent"), LONGEST_AGENT),
    )
