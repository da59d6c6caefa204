"""Batches for a plan that gives none: one for each dependency level, or a single one in which dependencies
alone give the order (BX-2, BX-4).
"""

from collections import defaultdict
from typing import Final

from orchestrator.core.engine.conditions import steps_named
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.reading.drafts import (
    BatchDraft,
    GateDraft,
    PlanDraft,
    StageDraft,
    StepDraft,
    ThreadDraft,
)
from orchestrator.core.plans.reading.fields import named_needs
from orchestrator.core.plans.text.phrases import read_names, unmark

#: Notes of a step that name what it waits for.
_WAITS: Final = frozenset({"needs", "when"})


def derive_stage(draft: PlanDraft, findings: Findings) -> StageDraft:
    """One stage for the steps and gates that stand outside every batch.

    Without any dependency they are one batch, done in order. Steps in a circle come last; the check names the
    circle.
    """
    loose = draft.loose
    number = next_number(draft)
    stage = StageDraft(number, "Work", loose[0].line, inferred=True)
    before = _predecessors(loose)
    if not any(before):
        steps = [item for item in loose if isinstance(item, StepDraft)]
        batch = BatchDraft(
            1, "Batch 1", loose[0].line, sequential=True, inferred=True, derived=True, steps=steps
        )
        stage.batches.append(batch)
        message = f"The plan has no batches: its {len(steps)} steps are read as one batch, done in order."
        findings.add(
            "inferred-batch", loose[0].line, message, "Write `### Batch 1` above the steps that start first."
        )
        return stage
    for level, members in enumerate(_levels(before), 1):
        stage.batches += _level_batches(level, [loose[position] for position in members])
    message = f"The plan has no batches: {len(stage.batches)} are derived from what its steps need."
    findings.add(
        "inferred-levels",
        loose[0].line,
        message,
        "Write `### Batch 1` and so on to set the batches yourself.",
    )
    return stage


def stage_by_needs(number: int, threads: list[ThreadDraft], findings: Findings) -> StageDraft:
    """One batch whose steps wait for what they need and for nothing else; files and resources still hold them
    apart.

    That is what other tools' trackers mean: each of them starts whatever has no open dependency. A step that
    says that it is not parallel keeps its place behind the one before it.
    """
    line = threads[0].line
    for step in (step for thread in threads for step in thread.steps):
        step.parallel = True if step.parallel is None else step.parallel
    steps = [step for thread in threads for step in thread.steps]
    free = sum(not (step.needs or step.notes.values.keys() & _WAITS) for step in steps)
    starts = "its step starts" if len(steps) == 1 else f"its {len(steps)} steps start"
    needing = f"{free} need{'s' if free == 1 else ''}"
    message = f"The source has no batches: {starts} by what they need alone, and {needing} nothing."
    fix = "Write a PLAN.md with batches if some have to wait for others."
    findings.add("order-by-needs", line, message, fix)
    batch = BatchDraft(1, "Work", line, inferred=True, threads=threads)
    return StageDraft(number, "Work", line, inferred=True, batches=[batch])


def next_number(draft: PlanDraft) -> int:
    return max((stage.number for stage in draft.stages), default=0) + 1


def loose_by_needs(draft: PlanDraft, findings: Findings) -> StageDraft:
    """The steps and gates outside every batch as one, with `order: dependencies` (BX-4)."""
    steps = [item for item in draft.loose if isinstance(item, StepDraft)]
    gates = [item for item in draft.loose if isinstance(item, GateDraft)]
    stage = stage_by_needs(
        next_number(draft), [ThreadDraft("", "", draft.loose[0].line, steps=steps)], findings
    )
    stage.batches[0].threads, stage.batches[0].steps, stage.batches[0].beside = [], steps, gates
    return stage


def put_gates_beside(stages: list[StageDraft]) -> None:
    """With `order: dependencies` a gate stands in the batch before it, and waits for what it names alone."""
    for stage in stages:
        kept: list[BatchDraft] = []
        for batch in stage.batches:
            if batch.gate is not None and kept and kept[-1].gate is None:
                kept[-1].beside.append(batch.gate)
            else:
                kept.append(batch)
        stage.batches = kept


def _level_batches(level: int, items: list[StepDraft | GateDraft]) -> list[BatchDraft]:
    steps = [item for item in items if isinstance(item, StepDraft)]
    gates = [item for item in items if isinstance(item, GateDraft)]
    batches = [BatchDraft(level, f"Batch {level}", steps[0].line, derived=True, steps=steps)] if steps else []
    return batches + [BatchDraft(-1, "", gate.line, gate=gate) for gate in gates]


def _predecessors(loose: list[StepDraft | GateDraft]) -> list[set[int]]:
    """For every item the positions it waits for.

    A gate without a trigger waits for all that stand before it.
    """
    positions: dict[str, int] = {}
    for position, item in enumerate(loose):
        for name in (item.key, item.title if isinstance(item, GateDraft) else ""):
            if name:
                positions.setdefault(name, position)
    before: list[set[int]] = [set() for _ in loose]
    since = 0
    for position, item in enumerate(loose):
        before[position] |= {positions[name] for name in _names_before(item) if name in positions} - {
            position
        }
        if isinstance(item, GateDraft):
            if not before[position]:
                before[position] = set(range(since, position))
                since = position
            for name in _names(item, "unlocks"):
                if positions.get(name, position) != position:
                    before[positions[name]].add(position)
    return before


def _names_before(item: StepDraft | GateDraft) -> list[str]:
    if isinstance(item, GateDraft):
        return _names(item, "trigger") + _names(item, "needs")
    asked = steps_named(unmark(item.notes.first("when")))
    return item.needs + [name for name, _ in named_needs(item.notes)] + list(asked)


def _names(item: GateDraft, name: str) -> list[str]:
    return [found for value in item.notes.of(name) for found in read_names(value.text)]


def _levels(before: list[set[int]]) -> list[list[int]]:
    """Positions by level: first what waits for nothing, then what waits for those, and so on."""
    after: dict[int, list[int]] = defaultdict(list)
    waiting = [len(positions) for positions in before]
    for position, positions in enumerate(before):
        for earlier in positions:
            after[earlier].append(position)
    levels: list[list[int]] = []
    ready = [position for position, count in enumerate(waiting) if not count]
    placed: set[int] = set()
    while ready:
        levels.append(sorted(ready))
        placed.update(ready)
        behind = [later for position in ready for later in after[position]]
        ready = []
        for later in behind:
            waiting[later] -= 1
            if not waiting[later]:
                ready.append(later)
    rest = [position for position in range(len(before)) if position not in placed]
    return [*levels, rest] if rest else levels
