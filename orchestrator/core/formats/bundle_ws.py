"""Bundles of seed 001's own schema: one workstream a file, its tasks as a list of texts (AD-3, AD-5)."""

from typing import Any, Final

from orchestrator.core.formats.items import Item, key_of, step_of
from orchestrator.core.formats.json_source import listed, load, member, plain
from orchestrator.core.plan import Reading
from orchestrator.core.plan_build import build_plan
from orchestrator.core.plan_drafts import BatchDraft, PlanDraft, StageDraft, ThreadDraft, Value
from orchestrator.core.plan_findings import Findings
from orchestrator.core.plan_front_matter import FrontMatter

_READ: Final = frozenset(
    {"id", "tasks", "tool", "files_scope", "files_create", "acceptance_tests", "depends_on", "circuit_breaker"}
)
_REQUIRED: Final = ("id", "openspec_change", "ccpm_issue", "gate", "files_scope", "tasks", "tool")
_PRIORITY: Final = {"critical": 3, "high": 2, "medium": 1, "low": 0}
MOST_ATTEMPTS: Final = 999


def looks_like(value: Any) -> bool:
    """Whether a JSON value has at least the id, the tasks and one more of the required keys."""
    if not isinstance(value, dict) or not isinstance(value.get("tasks"), list):
        return False
    return "files_scope" in value or "openspec_change" in value or "ccpm_issue" in value


def read(text: str) -> Reading:
    """One thread whose steps are done in order; the acceptance tests are the exit criteria of its last step."""
    findings = Findings()
    value = load(text, findings)
    if not isinstance(value, dict):
        return Reading(None, findings.all())
    _missing(value, findings)
    scope = [plain(path) for path in [*listed(value.get("files_scope")), *listed(value.get("files_create"))]]
    steps = [_step(number, task, value) for number, task in enumerate(listed(value.get("tasks")), 1) if plain(task)]
    tests = [" ".join(plain(test).split())[:500] for test in listed(value.get("acceptance_tests"))]
    if tests:
        steps.append(Item("acceptance", "Acceptance tests", exits=tests, tool=plain(value.get("tool"))))
    name = plain(value.get("id"))[:200] or "Bundle"
    thread = ThreadDraft("01", name, 1, steps=[step_of(item) for item in steps])
    for step in thread.steps:
        _limit(step.notes.values, value)
    if files := [f"`{path}`" for path in dict.fromkeys(scope) if path]:
        thread.notes.values["files"] = [Value([path], 1) for path in files]
    stage = StageDraft(1, "Work", 1, batches=[BatchDraft(1, name, 1, threads=[thread] if thread.steps else [])])
    draft = PlanDraft(name=name, summary=_summary(value, findings), stages=[stage])
    return Reading(build_plan(draft, _matter(value), findings), findings.all())


def _missing(value: dict[str, Any], findings: Findings) -> None:
    absent = [name for name in _REQUIRED if name not in value]
    if absent:
        message = f"The bundle lacks {', '.join(absent)}, which its schema demands."
        findings.add("bundle-incomplete", 1, message, "Add them, if another tool reads the bundle too.")


def _step(number: int, task: Any, value: dict[str, Any]) -> Item:
    text = plain(task)
    title = " ".join(text.split())
    details = [text] if len(title) > 300 else []
    return Item(f"{number:02}", title[:300], details=details, tool=plain(value.get("tool")))


def _limit(values: dict[str, list[Value]], value: dict[str, Any]) -> None:
    most = member(value, "circuit_breaker").get("max_attempts")
    if isinstance(most, int) and 0 < most <= MOST_ATTEMPTS:
        values["max_attempts"] = [Value([str(most)], 1)]


def _summary(value: dict[str, Any], findings: Findings) -> list[str]:
    """What the bundle says beyond what is read is kept as text, and the reviewer is told."""
    meta = member(value, "metadata")
    kept = [f"{plain(name)}: {plain(value[name])}" for name in value if name not in _READ and name != "metadata"]
    kept += [f"{plain(name)}: {plain(meta[name])}" for name in meta if name != "description"]
    if kept:
        message = f"{len(kept)} fields have no meaning here and are kept as text of the summary."
        findings.add("kept-as-text", 1, message, "Nothing to do.")
    return [line for line in [plain(meta.get("description")), *kept] if line]


def _matter(value: dict[str, Any]) -> FrontMatter:
    meta = member(value, "metadata")
    matter = FrontMatter(priority=_PRIORITY.get(plain(meta.get("priority")).lower(), 0))
    matter.values["owner"] = plain(meta.get("owner"))[:150]
    if needs := [key_of(plain(need)) for need in listed(value.get("depends_on")) if plain(need)]:
        matter.values["needs"] = ", ".join(needs)
    return matter
