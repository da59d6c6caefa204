"""A plan whose text gives it no name is called after its file, or the folder that it lies in (WF-2)."""

import posixpath
import re
from dataclasses import replace
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.build import UNNAMED_PLAN
from orchestrator.core.plans.reading.items import name_by_content
from orchestrator.core.plans.reading.json_source import LONGEST_NAME, name_of

_ENDINGS: Final = re.compile(r"(?i)(?:\.(?:plan|tasks|issues|backlog|md|markdown|txt|json|jsonl|ya?ml))+$")
_WORDS: Final = re.compile(r"[\s_-]+")
#: What files and folders of plans are usually called; it says nothing about the plan.
_USUAL: Final = frozenset(
    ["", ".", "..", "backlog", "beads", "default", "docs", "issues", "main", "master", "plan", "plans"]
) | frozenset(["specs", "task", "taskmaster", "tasks", "todo", "todos", "unnamed", "work"])


def called_after(reading: Reading, file: str) -> Reading:
    """The reading with the name of its file where its text gives none, else with that of its first step."""
    if reading.plan is None or not has_automatic_name(reading):
        return reading
    name = name_of_file(file) or (_by_content(reading.plan) if reading.plan.name == UNNAMED_PLAN else "")
    return replace(reading, plan=replace(reading.plan, name=name)) if name else reading


def has_automatic_name(reading: Reading) -> bool:
    """Whether neither the text nor its author gave the plan its name."""
    return any(found.code == "inferred-name" for found in reading.findings)


def _by_content(plan: Plan) -> str:
    titles = [step.title for step in plan.steps()]
    return name_by_content(titles, Findings())


def name_of_file(file: str) -> str:
    """`shop-floor.tasks.json` -> `Shop floor`; of `app/.taskmaster/tasks.json` the folder; else empty."""
    for part in reversed(file.replace("\\", "/").split("/")):
        stem = _ENDINGS.sub("", posixpath.basename(part))
        words = " ".join(_WORDS.sub(" ", stem).split())
        if words.strip(". ").lower() not in _USUAL:
            return name_of(f"{words[:1].upper()}{words[1:]}"[:LONGEST_NAME])
    return ""
