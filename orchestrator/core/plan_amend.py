"""Append a stage to a plan's text: fix stages after an evaluation, gap tasks after a review (WF-5, LC-3).

The text grows; nothing in it is patched. Whoever calls reads the result again like any other plan.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.plan import Plan

KEY_PREFIX = "FIX"


@dataclass(frozen=True, slots=True)
class NewTask:
    """One line of work for a new stage; without an exit criterion, that it is done is to be shown."""

    title: str
    exit: str = ""


@dataclass(frozen=True, slots=True)
class NewStage:
    """`after` is the position of the stage it stands behind, None for the plan's end; `gate` adds an evaluation."""

    name: str
    tasks: tuple[NewTask, ...]
    after: int | None = None
    gate: bool = False


def new_tasks(text: str) -> tuple[NewTask, ...]:
    """One task a line, `title | exit criterion`; empty lines and list marks are passed over."""
    lines = (re.sub(r"^\s*[-*]\s+", "", line).strip() for line in text.splitlines())
    parts = (line.partition("|") for line in lines if line)
    return tuple(NewTask(title.strip(), exit_.strip()) for title, _, exit_ in parts if title.strip())


def with_stage(source: str, plan: Plan, new: NewStage) -> str:
    """The source with the new stage in it, numbered after every stage that is there."""
    lines = source.rstrip("\n").split("\n")
    following = plan.stages[new.after + 1].line if new.after is not None and new.after + 1 < len(plan.stages) else 0
    at = following - 1 if following else len(lines)
    return "\n".join([*lines[:at], *_stage_lines(plan, new), "", *lines[at:]]).rstrip("\n") + "\n"


def _stage_lines(plan: Plan, new: NewStage) -> Sequence[str]:
    number = max((stage.number for stage in plan.stages), default=0) + 1
    taken = {step.key for step in plan.steps()}
    free = (key for n in range(1, len(taken) + len(new.tasks) + 1) if (key := f"{KEY_PREFIX}{n}") not in taken)
    body = ["", f"### Stage {number}: {_one_line(new.name)}", "", "- Kind: fix", "", "##### Batch 01: fixes", ""]
    body += ["###### Thread 01: fixes", "", "- Role: contributor", "", "**Tasks:**", ""]
    for task, key in zip(new.tasks, free, strict=False):
        exit_ = _one_line(task.exit) or "It is shown to be done"
        body += [f"- {key}: {_one_line(task.title)}", f"  - Exit: {exit_}"]
    if new.gate:
        body += ["", f"##### Gate: Stage {number} evaluation", "", "- Kind: evaluation", "- Reviewers: reviewer"]
    return body


def _one_line(text: str) -> str:
    return " ".join(text.split())
