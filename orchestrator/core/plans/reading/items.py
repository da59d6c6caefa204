"""A flat list of tasks with dependencies and parents, as most trackers keep one, turned into a plan.

The plan has their dependencies and no batches: whatever needs nothing open may start, held apart only by
files and resources (BX-2). A task that has subtasks is done when they are (`parents.py`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Plan, Progress, Reading
from orchestrator.core.plans.reading.build import build_plan
from orchestrator.core.plans.reading.derive import stage_by_needs
from orchestrator.core.plans.reading.drafts import Notes, PlanDraft, StepDraft, ThreadDraft, Value
from orchestrator.core.plans.reading.json_source import name_of
from orchestrator.core.plans.reading.parents import relate_parents
from orchestrator.core.plans.reading.progress import tell_state
from orchestrator.core.plans.text.front_matter import FrontMatter
from orchestrator.core.terms import TaskStatus

_UNUSABLE: Final = re.compile(r"[^A-Za-z0-9_.-]+|\.{2,}")
LONGEST_KEY: Final = 80


@dataclass(slots=True)
class Item:
    """One task of another tool.

    `needs` and `parent` are keys; `status` and what follows say how far it is. `need_lines` has the lines of
    needs that stand on lines of their own.
    """

    key: str
    title: str
    line: int = 0
    needs: list[str] = field(default_factory=list)
    parent: str = ""
    details: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    role: str = ""
    tool: str = ""
    resources: list[str] = field(default_factory=list)
    parallel: bool | None = None
    estimate: str = ""
    status: TaskStatus = TaskStatus.PENDING
    breadcrumb: str = ""
    report: str = ""
    agent: str = ""
    need_lines: dict[str, int] = field(default_factory=dict)


def key_of(text: str) -> str:
    """A key that may stand in file names and addresses, from another tool's id."""
    return _UNUSABLE.sub("-", text).strip("-._")[:LONGEST_KEY].strip("-._")


def name_by_content(titles: Sequence[str], findings: Findings) -> str:
    """A name for a plan whose source gives none: its first task; the name of its file is taken instead, where
    there is one (`naming.py`).
    """
    first = next((title for title in titles if title), "Unnamed task")
    more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
    findings.add("inferred-name", 1, "The source gives the plan no name.", "Give its file a telling name.")
    return name_of(f"{first[:80].rstrip()}{more}") or "Unnamed plan"


def reading_of(
    name: str, summary: str, items: Sequence[Item], findings: Findings, matter: FrontMatter | None = None
) -> Reading:
    """The plan of these tasks with what is known about their state; no plan when there is no task."""
    name_items(items, findings)
    relate_parents(items, findings)
    draft = PlanDraft(name=name, summary=[summary] if summary else [])
    if items:
        steps = [step_of(item) for item in items]
        draft.stages.append(
            stage_by_needs(1, [ThreadDraft("01", "Tasks", items[0].line, steps=steps)], findings)
        )
    plan = build_plan(draft, matter or FrontMatter(), findings)
    return reading_with(plan, items, findings)


def reading_with(plan: Plan | None, items: Sequence[Item], findings: Findings) -> Reading:
    """A finished plan with the progress of the items it was made of."""
    progress = progress_of(items) if plan else ()
    tell_state(progress, findings)
    return Reading(plan, findings.all(), progress)


def progress_of(items: Iterable[Item]) -> tuple[Progress, ...]:
    """How far the tasks are that were begun, ended, or given to somebody."""
    pending = TaskStatus.PENDING
    return tuple(
        Progress(item.key, item.status, item.line, item.breadcrumb, item.report, item.agent)
        for item in items
        if item.status is not pending or item.agent or item.breadcrumb or item.report
    )


def name_items(items: Sequence[Item], findings: Findings) -> None:
    """Every task gets a key that no other has, so that irregular files lose nothing.

    Dependencies mean the first.
    """
    taken: dict[str, int] = {}
    wanted = {item.key for item in items}
    unnamed = [item for item in items if not item.key]
    count: dict[str, int] = {}
    for position, item in enumerate(items, 1):
        base = item.key or f"task-{position:02}"
        key = base
        while key in taken or (key in wanted and key != item.key):
            count[base] = count.get(base, 1) + 1
            key = f"{base[: LONGEST_KEY - 6]}-{count[base]}"
        if item.key and key != item.key:
            message = (
                f"{item.key} stands on line {taken[item.key]} and again here; this one is read as {key}."
            )
            findings.add("duplicate-id", item.line, message, "Give each task an id of its own.")
        item.key = key
        taken.setdefault(key, item.line)
    if unnamed:
        message = f"{len(unnamed)} tasks have no id; the first gets {unnamed[0].key}."
        findings.add("inferred-key", unnamed[0].line, message, "Give each task an id.")


def step_of(item: Item) -> StepDraft:
    needs = list(dict.fromkeys(item.needs))
    return StepDraft(
        item.key,
        item.title,
        item.line,
        needs=needs,
        parallel=item.parallel,
        notes=notes_of(item),
        need_lines=item.need_lines,
    )


def notes_of(item: Item) -> Notes:
    """The fields of a step that a task gives, as if the plan had them as bullets."""
    notes = Notes()
    for text in item.details:
        notes.text += text.split("\n") if text else ("",)
        notes.text.append("")
    given = (
        ("exit", item.exits),
        ("files", [f"`{path}`" for path in item.files if path]),
        ("resources", [f"`{name}`" for name in item.resources if name]),
        ("role", (item.role,) if item.role else ()),
        ("tool", (item.tool,) if item.tool else ()),
        ("estimate", (item.estimate,) if item.estimate else ()),
    )
    for name, texts in given:
        if texts and (values := [Value([text], item.line) for text in texts if text]):
            notes.values[name] = values
    return notes
