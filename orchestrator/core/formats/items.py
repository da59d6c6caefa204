"""A flat list of tasks with dependencies and parents, as most trackers keep one, turned into a plan.

A task that has subtasks is done when they are: it needs all of them, and they need what it needs. Batches follow from
the dependencies (BX-2), because a tracker shows no others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.plan import Plan
from orchestrator.core.plan_build import build_plan
from orchestrator.core.plan_drafts import Notes, PlanDraft, StepDraft, Value
from orchestrator.core.plan_findings import Findings
from orchestrator.core.plan_front_matter import FrontMatter

_UNUSABLE: Final = re.compile(r"[^A-Za-z0-9_.-]+|\.{2,}")
LONGEST_KEY: Final = 80
#: Edges from parents to subtasks and back that are added to one plan, so that reading stays linear.
MOST_INHERITED: Final = 100_000


@dataclass(slots=True)
class Item:
    """One task of another tool. `needs` and `parent` are keys; `done` says that the tool shows it as finished."""

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
    done: bool = False


def key_of(text: str) -> str:
    """A key that may stand in file names and addresses, from another tool's id."""
    return _UNUSABLE.sub("-", text).strip("-.")[:LONGEST_KEY].strip("-.")


def plan_of(name: str, summary: str, items: Sequence[Item], findings: Findings) -> Plan | None:
    """The plan of these tasks; None when there is none."""
    _inherit(items, findings)
    draft = PlanDraft(name=name, summary=[summary] if summary else [])
    draft.loose += [step_of(item) for item in items]
    tell_done(items, findings)
    return build_plan(draft, FrontMatter(), findings)


def step_of(item: Item) -> StepDraft:
    return StepDraft(item.key, item.title, item.line, needs=list(dict.fromkeys(item.needs)), notes=notes_of(item))


def notes_of(item: Item) -> Notes:
    """The fields of a step that a task gives, as if the plan had them as bullets."""
    notes = Notes(text=[line for text in item.details for line in [*text.split("\n"), ""]])
    given = {"exit": item.exits, "files": item.files, "role": [item.role], "tool": [item.tool]}
    for name, texts in given.items():
        values = [Value([f"`{text}`" if name == "files" else text], item.line) for text in texts if text]
        if values:
            notes.values[name] = values
    return notes


def tell_done(items: Iterable[Item], findings: Findings) -> None:
    """A plan defines work and carries no state: finished tasks start as open, and the reviewer is told."""
    done = [item for item in items if item.done]
    if done:
        message = f"{len(done)} of the tasks are marked as done; a plan carries no state, so they start as open."
        fix = "Take finished tasks out of the file, if they are not to be done again."
        findings.add("state-not-read", done[0].line, message, fix)


def _inherit(items: Sequence[Item], findings: Findings) -> None:
    known = {item.key: item for item in items}
    added = 0
    for item in items:
        parent = known.get(item.parent)
        if parent is None or parent is item:
            continue
        wanted = [need for need in parent.needs if need != item.key and known.get(need, item).parent != parent.key]
        added += len(wanted) + 1
        if added > MOST_INHERITED:
            message = "There are too many dependencies between tasks and their subtasks to read all of them."
            findings.add("unreadable-value", item.line, message, "Split the file.")
            return
        item.needs += wanted
    for item in items:
        parent = known.get(item.parent)
        if parent is not None and parent is not item:
            parent.needs.append(item.key)
