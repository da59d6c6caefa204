"""Tasks of seed 000's framework, each with the stage, batch and thread it stands in, put into a draft (WF-7).

A task stands where its number says, `SS.BB.TT.NN`; one without such a number stands where its names say. What
is not there yet is made.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from orchestrator.core.plans.reading.drafts import BatchDraft, PlanDraft, StageDraft, ThreadDraft
from orchestrator.core.plans.reading.items import Item, step_of

_NUMBER: Final = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})\.\d{1,6}")


@dataclass(slots=True)
class Row:
    """A task and the names of its stage, batch and thread."""

    item: Item
    names: tuple[str, str, str]

    @property
    def numbers(self) -> tuple[int, int, int] | None:
        found = _NUMBER.fullmatch(self.item.key)
        return (int(found[1]), int(found[2]), int(found[3])) if found else None


class Placer:
    """Finds or makes the thread of each task in a draft; `made` are the threads that were not there."""

    def __init__(self, draft: PlanDraft) -> None:
        self.draft = draft
        self.made: list[ThreadDraft] = []
        self._threads: dict[tuple[object, ...], ThreadDraft] = {}
        self._batches: dict[tuple[object, ...], BatchDraft] = {}
        self._stages: dict[object, StageDraft] = {}
        for stage in draft.stages:
            self._know_stage(stage)
            for batch in stage.batches:
                self._know_batch(stage, batch)
                for thread in batch.threads:
                    self._know_thread(batch, thread)

    def place(self, row: Row) -> tuple[StageDraft, BatchDraft, ThreadDraft]:
        """Where a task belongs; what the draft does not have is made."""
        numbers = row.numbers
        stage = self._stage(row, numbers[0] if numbers else None)
        batch = self._batch(row, stage, numbers[1] if numbers else None)
        number = numbers[2] if numbers else None
        key = (id(batch), _word(row.names[2]) if number is None else number)
        found = self._threads.get(key)
        if found is None:
            lane = f"{len(batch.threads) + 1 if number is None else number:02}"
            found = ThreadDraft(self._free(batch, lane), row.names[2] or "work", row.item.line)
            batch.threads.append(found)
            self._know_thread(batch, found)
            self._threads[key] = found
            self.made.append(found)
        return stage, batch, found

    def put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.place(row)[2].steps.append(step_of(row.item))

    def _free(self, batch: BatchDraft, lane: str) -> str:
        taken = {thread.lane for thread in batch.threads}
        while lane in taken:
            lane = f"{int(lane) + 1:02}"
        return lane

    def _stage(self, row: Row, number: int | None) -> StageDraft:
        key = _word(row.names[0]) if number is None else number
        if key not in self._stages:
            if number is None:
                number = max((s.number for s in self.draft.stages), default=0) + 1
            stage = StageDraft(number, row.names[0] or "Work", row.item.line)
            self.draft.stages.append(stage)
            self._know_stage(stage)
            self._stages[key] = stage
        return self._stages[key]

    def _batch(self, row: Row, stage: StageDraft, number: int | None) -> BatchDraft:
        key = (id(stage), _word(row.names[1]) if number is None else number)
        if key not in self._batches:
            if number is None:
                number = max((b.number for b in stage.batches), default=0) + 1
            batch = BatchDraft(number, row.names[1] or "work", row.item.line)
            stage.batches.append(batch)
            self._know_batch(stage, batch)
            self._batches[key] = batch
        return self._batches[key]

    def _know_stage(self, stage: StageDraft) -> None:
        self._stages.setdefault(stage.number, stage)
        self._stages.setdefault(_word(stage.name), stage)

    def _know_batch(self, stage: StageDraft, batch: BatchDraft) -> None:
        if batch.gate is None:
            self._batches.setdefault((id(stage), batch.number), batch)
            self._batches.setdefault((id(stage), _word(batch.name)), batch)

    def _know_thread(self, batch: BatchDraft, thread: ThreadDraft) -> None:
        if thread.lane.isdecimal():
            self._threads.setdefault((id(batch), int(thread.lane)), thread)
        self._threads.setdefault((id(batch), _word(thread.name)), thread)


def _word(name: str) -> str:
    return " ".join(name.lower().split())
