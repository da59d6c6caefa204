"""`tasks.json` of seed 000: the tasks of a workstream with the stage, batch and thread each stands in (WF-7).

Its ids are `SS.BB.TT.NN`. The order of stages, batches and threads is the order in which they first appear.
"""

from typing import Any, Final

from orchestrator.core.formats.items import Item, key_of, step_of, tell_done
from orchestrator.core.formats.json_source import Lines, load, plain
from orchestrator.core.plan import Reading
from orchestrator.core.plan_build import build_plan
from orchestrator.core.plan_drafts import BatchDraft, PlanDraft, StageDraft, ThreadDraft
from orchestrator.core.plan_findings import Findings
from orchestrator.core.plan_front_matter import FrontMatter

_DONE: Final = frozenset({"complete", "completed", "cancelled", "skipped"})


def looks_like(value: Any) -> bool:
    """Whether a JSON value lists tasks that name their stage or thread."""
    tasks = value.get("tasks") if isinstance(value, dict) else None
    if not isinstance(tasks, list):
        return False
    return any(isinstance(task, dict) and ("stage_name" in task or "thread_name" in task) for task in tasks[:5])


def read(text: str) -> Reading:
    findings = Findings()
    value = load(text, findings)
    if not looks_like(value):
        message = "The file lists no task with its stage, batch and thread."
        findings.add("no-step", 0, message, "Submit a tasks.json as the workstream framework writes it.")
        return Reading(None, findings.all())
    name = plain(value.get("stream_id"))[:200] or "Workstream"
    reader = _Reader(PlanDraft(name=name), Lines(text), findings)
    for task in value["tasks"]:
        reader.take(task)
    tell_done(reader.items, findings)
    return Reading(build_plan(reader.draft, FrontMatter(), findings), findings.all())


class _Reader:
    """Sorts tasks into the stages, batches and threads that they name."""

    def __init__(self, draft: PlanDraft, lines: Lines, findings: Findings) -> None:
        self.draft, self.lines, self.findings = draft, lines, findings
        self.items: list[Item] = []
        self.stages: dict[str, StageDraft] = {}
        self.batches: dict[tuple[str, str], BatchDraft] = {}
        self.threads: dict[tuple[str, str, str], ThreadDraft] = {}

    def take(self, task: Any) -> None:
        if not isinstance(task, dict):
            self.findings.add("unreadable-value", 0, f"A task is not an object: {plain(task)[:60]}", "Take it out.")
            return
        item = Item(
            key=key_of(plain(task.get("id"))),
            title=" ".join(plain(task.get("name")).split())[:300],
            line=self.lines.take(task.get("id")),
            details=[text for field in ("breadcrumb", "report") if (text := plain(task.get(field)))],
            done=plain(task.get("status")).lower() in _DONE,
        )
        self.items.append(item)
        self._thread(task, item.line).steps.append(step_of(item))

    def _thread(self, task: dict[str, Any], line: int) -> ThreadDraft:
        stage, batch, thread = (plain(task.get(f"{what}_name"))[:200] for what in ("stage", "batch", "thread"))
        if (stage, batch, thread) not in self.threads:
            into = self._batch(stage, batch, line)
            new = ThreadDraft(f"{len(into.threads) + 1:02}", thread or "work", line)
            into.threads.append(new)
            self.threads[stage, batch, thread] = new
        return self.threads[stage, batch, thread]

    def _batch(self, stage: str, batch: str, line: int) -> BatchDraft:
        if stage not in self.stages:
            self.stages[stage] = StageDraft(len(self.stages) + 1, stage or "Work", line)
            self.draft.stages.append(self.stages[stage])
        if (stage, batch) not in self.batches:
            into = self.stages[stage].batches
            self.batches[stage, batch] = BatchDraft(len(into) + 1, batch or "work", line)
            into.append(self.batches[stage, batch])
        return self.batches[stage, batch]
