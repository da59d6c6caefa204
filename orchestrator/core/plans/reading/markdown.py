"""Read the native PLAN.md grammar: seed 000's stages, seed 002's batches and merge points, and our keyed
bullets.

`read_plan` never raises on text and works in time linear in its length. What it infers is an INFO finding;
what it cannot understand is a finding with its line. `core.plan_check` then says whether the plan can run.
"""

from orchestrator.core.plans.conditions import with_condition_needs
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Progress, Reading
from orchestrator.core.plans.reading.build import build_plan
from orchestrator.core.plans.reading.drafts import PlanDraft
from orchestrator.core.plans.reading.walker import walk
from orchestrator.core.plans.text.boxes import status_of_mark
from orchestrator.core.plans.text.front_matter import FrontMatter, read_front_matter
from orchestrator.core.plans.text.lines import scan, split_lines
from orchestrator.core.plans.text.parameters import fill


def read_plan(source: str) -> Reading:
    """Read a PLAN.md (WF-2, BX-8). The plan is None when there is nothing in it to schedule."""
    findings = Findings()
    if not source.strip("\ufeff \t\r\n"):
        findings.add("source-empty", 0, "The plan holds no text.", "Paste or upload a PLAN.md.")
        return Reading(None, findings.all())
    texts = split_lines(source)
    draft, matter = read_draft(texts, findings)
    return finish_plan(draft, matter, texts, findings)


def read_draft(texts: list[str], findings: Findings, first: int = 1) -> tuple[PlanDraft, FrontMatter]:
    """The lines of a PLAN.md, numbered from `first`, as a draft that is not named and not checked yet."""
    matter = read_front_matter(texts, findings, first)
    draft, found = _walk(texts[matter.lines :], matter.lines + first)
    findings.extend(found.all())
    if not draft.headings:
        message = "The plan has no headings, so stages, batches and threads cannot be told apart."
        findings.add(
            "no-headings", first, message, "Start with `# Plan: name`, then `### Stage 1: name` and so on."
        )
    return draft, matter


def finish_plan(
    draft: PlanDraft, matter: FrontMatter, texts: list[str], findings: Findings, first: int = 1
) -> Reading:
    """The reading that a draft comes to; boxes in front of steps are its progress."""
    plan = fill(build_plan(draft, matter, findings), texts, matter, findings, first)
    ticked = plan.steps() if plan and draft.boxes else ()
    progress = tuple(
        Progress(step.key, status_of_mark(draft.boxes[step.line], step.line, findings), step.line)
        for step in ticked
        if step.line in draft.boxes
    )
    return Reading(plan and with_condition_needs(plan, findings), findings.all(), progress)


def _walk(texts: list[str], first: int) -> tuple[PlanDraft, Findings]:
    """Read the lines; when they hold no step, read what stands in Markdown code blocks instead."""
    draft, findings, has_block = _walk_once(texts, first, open_markdown=False)
    if draft.step_count or not has_block:
        return draft, findings
    opened, found, _ = _walk_once(texts, first, open_markdown=True)
    if not opened.step_count:
        return draft, findings
    message = "The plan stands inside Markdown code blocks and was read from there."
    found.add(
        "read-from-code-block",
        first,
        message,
        "Check the structure, or take away the fences around the plan.",
    )
    return opened, found


def _walk_once(texts: list[str], first: int, *, open_markdown: bool) -> tuple[PlanDraft, Findings, bool]:
    findings = Findings()
    lines, open_fence, has_block = scan(texts, first, open_markdown=open_markdown)
    if open_fence:
        message = "The code block that starts here is never closed; everything after it was read as code."
        findings.add("open-fence", open_fence, message, "Close it with a line of the same fence characters.")
    return walk(lines, findings), findings, has_block
