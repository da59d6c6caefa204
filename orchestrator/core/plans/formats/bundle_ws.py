"""Bundles of seed 001's own schema: one workstream a file, its tasks as a list of texts (AD-3, AD-5)."""

import json
from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.build import build_plan
from orchestrator.core.plans.reading.drafts import BatchDraft, PlanDraft, StageDraft, ThreadDraft, Value
from orchestrator.core.plans.reading.items import Item, key_of, step_of
from orchestrator.core.plans.reading.json_source import (
    LONGEST_AGENT,
    LONGEST_TITLE,
    listed,
    load,
    member,
    name_of,
    one_line,
    plain,
)
from orchestrator.core.plans.text.front_matter import FrontMatter

_READ: Final = frozenset(
    {
        "id",
        "tasks",
        "tool",
        "files_scope",
        "files_create",
        "acceptance_tests",
        "depends_on",
        "circuit_breaker",
    }
    | {"conflict_group", "test_gates", "parallel_ok"}
)
#: What bundles that may not run beside others hold while they work.
EXCLUSIVE: Final = "ws-exclusive"
_REQUIRED: Final = ("id", "openspec_change", "ccpm_issue", "gate", "files_scope", "tasks", "tool")
_PRIORITY: Final = {"critical": 3, "high": 2, "medium": 1, "low": 0}
MOST_ATTEMPTS: Final = 999


def looks_like(value: Any) -> bool:
    """Whether a JSON value has at least the id, the tasks and one more of the required keys."""
    if not isinstance(value, dict) or not isinstance(value.get("tasks"), list):
        return False
    return "files_scope" in value or "openspec_change" in value or "ccpm_issue" in value


def read(text: str) -> Reading:
    """One thread whose steps are done in order; what tests ask for is the exit criteria of its last step."""
    findings = Findings()
    value = load(text, findings)
    if not isinstance(value, dict):
        if value is not None:
            findings.add("no-step", 0, "The file holds no bundle.", "Submit a bundle with an id and tasks.")
        return Reading(None, findings.all())
    _missing(value, findings)
    name = name_of(value.get("id")) or "Bundle"
    thread = ThreadDraft("01", name, 1, steps=[step_of(item) for item in _items(text, value, findings)])
    scope = [plain(path) for path in [*listed(value.get("files_scope")), *listed(value.get("files_create"))]]
    if files := [f"`{path}`" for path in dict.fromkeys(scope) if path]:
        thread.notes.values["files"] = [Value([path], 1) for path in files]
    for step in thread.steps:
        _limit(step.notes.values, value)
    stage = StageDraft(
        1, "Work", 1, batches=[BatchDraft(1, name, 1, threads=[thread] if thread.steps else [])]
    )
    draft = PlanDraft(name=name, summary=_summary(value, findings), stages=[stage])
    return Reading(build_plan(draft, _matter(value), findings), findings.all())


def _items(text: str, value: dict[str, Any], findings: Findings) -> list[Item]:
    tool, resources = plain(value.get("tool")), _resources(value, findings)
    items: list[Item] = []
    line, place = 1, 0
    for number, task in enumerate(listed(value.get("tasks")), 1):
        found = text.find(json.dumps(task, ensure_ascii=False), place)
        if found >= 0:
            line, place = line + text.count("\n", place, found), found
        if said := plain(task):
            title = " ".join(said.split())
            details = [said] if len(title) > LONGEST_TITLE else []
            items.append(
                Item(f"{number:02}", one_line(title, LONGEST_TITLE), line, details=details, tool=tool)
            )
    asked = [*listed(value.get("acceptance_tests")), *listed(value.get("test_gates"))]
    tests = [one_line(test, 500) for test in asked if plain(test)]
    if tests:
        items.append(Item("acceptance", "Acceptance tests", line, exits=tests, tool=tool))
    for item in items:
        item.resources = resources
    return items


def _resources(value: dict[str, Any], findings: Findings) -> list[str]:
    """Bundles of one conflict group hold the same resource, so that their steps never run side by side."""
    named = [
        one_line(plain(one).replace("`", ""), LONGEST_TITLE) for one in listed(value.get("conflict_group"))
    ]
    if value.get("parallel_ok") is False:
        named.append(EXCLUSIVE)
    named = [name for name in named if name]
    if named:
        message = f"Every step holds {', '.join(named)[:200]}, because the bundle may not run beside others."
        findings.add("inferred-resource", 1, message, "Take the resource away if they may run side by side.")
    return named


def _missing(value: dict[str, Any], findings: Findings) -> None:
    absent = [name for name in _REQUIRED if name not in value]
    if absent:
        message = f"The bundle lacks {', '.join(absent)}, which its schema demands."
        findings.add("bundle-incomplete", 1, message, "Add them, if another tool reads the bundle too.")


def _limit(values: dict[str, list[Value]], value: dict[str, Any]) -> None:
    most = member(value, "circuit_breaker").get("max_attempts")
    if isinstance(most, int) and not isinstance(most, bool) and 0 < most <= MOST_ATTEMPTS:
        values["max_attempts"] = [Value([str(most)], 1)]


def _summary(value: dict[str, Any], findings: Findings) -> list[str]:
    """What the bundle says beyond what is read is kept as text, and the reviewer is told."""
    meta = member(value, "metadata")
    kept = [
        f"{plain(name)}: {plain(value[name])}" for name in value if name not in _READ and name != "metadata"
    ]
    breaker = member(value, "circuit_breaker")
    kept += [f"{plain(name)}: {plain(breaker[name])}" for name in breaker if name != "max_attempts"]
    kept += [f"{plain(name)}: {plain(meta[name])}" for name in meta if name != "description"]
    if kept:
        names = ", ".join(line.split(":")[0] for line in kept[:12])
        message = f"{len(kept)} fields are kept as text of the summary: {names}."
        findings.add("kept-as-text", 1, message, "Nothing to do.")
    return [line for line in [plain(meta.get("description")), *kept] if line]


def _matter(value: dict[str, Any]) -> FrontMatter:
    meta = member(value, "metadata")
    matter = FrontMatter(priority=_PRIORITY.get(plain(meta.get("priority")).lower(), 0))
    matter.values["owner"] = one_line(meta.get("owner"), LONGEST_AGENT)
    if needs := [key_of(plain(need)) for need in listed(value.get("depends_on")) if plain(need)]:
        matter.values["needs"] = ", ".join(needs)
    return matter
