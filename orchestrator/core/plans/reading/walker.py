"""Walk over the lines of a plan and sort them into drafts."""

from collections.abc import Iterable

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.reading.content import take_bullets, take_content
from orchestrator.core.plans.reading.drafts import PlanDraft
from orchestrator.core.plans.reading.headings import take_heading
from orchestrator.core.plans.reading.position import Position
from orchestrator.core.plans.text.lines import Line, LineKind


def walk(lines: Iterable[Line], findings: Findings) -> PlanDraft:
    """The draft that the lines come to; each is taken once, in order."""
    at = Position(findings)
    for line in lines:
        if line.kind is LineKind.HEADING:
            take_heading(at, line)
        else:
            take_content(at, line)
    for stage in at.draft.stages:
        for batch in stage.batches:
            take_bullets(at, batch)
    return at.draft
