"""Parallel steps that want the same resource, and entry criteria that cannot hold (BX-5)."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.core.engine.order import runs_of
from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.graph import Graph
from orchestrator.core.plans.plan import BatchSpec, PlacedStep, Plan, StepSpec

_SHOWN: Final = 8
#: An entry criterion that is about a whole step: its key and that it is done.
_ENTRY: Final = re.compile(
    r"`?([A-Za-z][A-Za-z0-9_.-]*\d[A-Za-z0-9_.-]*)`? (?:is |has been )?"
    r"(?:complete|completed|done|merged|approved|signed|finished)\.?",
    re.IGNORECASE,
)


def check_contention(plan: Plan, graph: Graph) -> Iterator[Finding]:
    for batch in (batch for stage in plan.stages for batch in stage.batches):
        yield from _shared(batch)
    yield from _entries(plan, graph)


def _shared(batch: BatchSpec) -> Iterator[Finding]:
    """One finding for a resource that several threads, or several neighbouring parallel steps, want."""
    wanting: dict[str, dict[tuple[int, int], list[StepSpec]]] = defaultdict(lambda: defaultdict(list))
    for number, thread in enumerate(batch.threads):
        runs = runs_of(step.parallel for step in thread.steps)
        for run, step in zip(runs, thread.steps, strict=True):
            for name in dict.fromkeys(step.resources):
                wanting[name][number, run].append(step)
    for name, turns in wanting.items():
        if len({thread for thread, _ in turns}) > 1 or any(len(steps) > 1 for steps in turns.values()):
            yield _told(name, batch, [step for steps in turns.values() for step in steps])


def _told(name: str, batch: BatchSpec, steps: Sequence[StepSpec]) -> Finding:
    shown = ", ".join(step.key for step in steps[:_SHOWN]) + (" …" if len(steps) > _SHOWN else "")
    message = (
        f"{shown} may run side by side in batch {batch.prefix} and want “{name[:80]}”, so they "
        f"run one after the other."
    )
    fix = "Put a dependency between them if their order matters, or leave it to the scheduler."
    return finding("shared-resource", steps[0].line, message, fix)


def _entries(plan: Plan, graph: Graph) -> Iterator[Finding]:
    """An entry criterion that asks for a step which stands behind: nobody could ever confirm it."""
    if not any(step.entry for step in plan.steps()):
        return
    placed = {item.step.key: item for item in plan.placed_steps()}
    for item in placed.values():
        for text in item.step.entry:
            match = _ENTRY.fullmatch(text.strip())
            other = placed.get(match[1]) if match else None
            if other is not None and _behind(item, other, graph):
                message = (
                    f"{item.step.key} asks at its entry for {other.step.key}, which starts no "
                    f"earlier than it."
                )
                fix = f"Take the entry criterion away, or move {item.step.key} behind {other.step.key}."
                yield finding("contradicting-entry", item.step.line, message, fix)


def _behind(item: PlacedStep, other: PlacedStep, graph: Graph) -> bool:
    if other.step.key == item.step.key:
        return True
    if other.place[:3] == item.place[:3]:
        return other.place > item.place
    return graph.group_of[other.step.key] > graph.group_of[item.step.key]
