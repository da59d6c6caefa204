"""Where a reader of a plan stands: what is open while its lines are walked over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.reading.drafts import (
    BatchDraft,
    LaneDraft,
    PlanDraft,
    StageDraft,
    StepDraft,
    ThreadDraft,
)
from orchestrator.core.plans.text.lines import Line

#: No heading has opened anything yet.
_NO_LEVELS: Final[Mapping[str, int]] = {"section": 0, "stage": 0, "batch": 0, "thread": 0}


@dataclass(slots=True)
class Position:
    """The open parts of a plan, `draft` being what was read so far.

    `section` names what the lines that follow belong to: `loose`, `batches`, `details` and so on
    (`content.py`); `section_name` is its heading. `levels` has the heading level on which each kind of part
    was opened.
    """

    findings: Findings
    draft: PlanDraft = field(default_factory=PlanDraft)
    stage: StageDraft | None = None
    batch: BatchDraft | None = None
    thread: ThreadDraft | None = None
    step: StepDraft | None = None
    lane: LaneDraft | None = None
    levels: dict[str, int] = field(default_factory=lambda: dict(_NO_LEVELS))
    section: str = "loose"
    section_name: str = ""

    def close(self, level: int) -> None:
        """Close what was opened on this level or a deeper one."""
        if self.thread and self.levels["thread"] >= level:
            self.thread = None
            self.section = "batch"
        if self.batch and self.levels["batch"] >= level:
            self.batch = self.thread = None
            self.section = "other"
        if self.stage and self.levels["stage"] >= level:
            self.stage = self.batch = self.thread = None
            self.section = "other"

    def next_stage(self) -> int:
        return self.draft.stages[-1].number + 1 if self.draft.stages else 1

    def stage_at(self, line: Line) -> StageDraft:
        """The open stage, or one that is inferred because the plan shows none here."""
        if self.stage is None and self.draft.stages and self.draft.stages[-1].inferred:
            self.stage = self.draft.stages[-1]
        elif self.stage is None:
            number = self.next_stage()
            self.stage = StageDraft(number, "Work", line.number, inferred=True)
            self.draft.stages.append(self.stage)
            self.levels["stage"] = min(self.levels["section"] or 2, line.level or 2)
            message = f"What follows stands outside a stage and is read as Stage {number}: Work."
            self.findings.add(
                "inferred-stage", line.number, message, f"Write `### Stage {number}: name` above it."
            )
        return self.stage

    def batch_at(self, line: Line) -> BatchDraft:
        """The open batch, or one that is inferred because the plan shows none here."""
        if self.batch is None or self.batch.gate:
            stage = self.stage_at(line)
            number = next_batch(stage)
            self.batch = BatchDraft(number, f"Batch {number}", line.number, sequential=True, inferred=True)
            stage.batches.append(self.batch)
            self.levels["batch"] = max(self.levels["stage"] + 1, 2)
            message = f"What follows stands outside a batch and is read as Batch {number:02}."
            self.findings.add(
                "inferred-batch", line.number, message, f"Write `##### Batch {number:02}: name` above it."
            )
        return self.batch


def next_batch(stage: StageDraft) -> int:
    """The number of the batch behind the last one of a stage."""
    return next((batch.number for batch in reversed(stage.batches) if not batch.gate), 0) + 1


def short(text: str) -> str:
    """A text as findings quote it."""
    return text if len(text) <= 60 else text[:57] + "…"
