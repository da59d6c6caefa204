"""A plan's text cut into the sections that a reviewer reads one after another (WF-3)."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.plans.plan import BatchSpec, PlacedStep, Plan, StageSpec
from orchestrator.core.plans.text.lines import split_lines

#: Lines of one section at the most; a longer batch is cut.
LONGEST: Final = 160


@dataclass(frozen=True, slots=True)
class Section:
    """Lines `first` to `last` (1-based) of the text and the steps that stand there.

    `sha256` is of the lines alone: a section that moved is the same, one that changed is another.
    """

    number: int
    title: str
    first: int
    last: int
    sha256: str
    steps: tuple[PlacedStep, ...] = ()

    def holds(self, line: int) -> bool:
        return self.first <= line <= self.last


def lines_of(source: str) -> list[str]:
    """The lines of a text as pages number them: without an empty one behind the last line break."""
    lines = split_lines(source)
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def sections_of(plan: Plan | None, lines: Sequence[str]) -> tuple[Section, ...]:
    """What stands before the first stage, then every batch.

    Each line and each step is in exactly one section.
    """
    cuts = list(_cuts(plan, len(lines)))
    firsts = [first for first, _ in cuts]
    steps: list[list[PlacedStep]] = [[] for _ in cuts]
    for placed in plan.placed_steps() if plan else ():
        if placed.step.line <= len(lines):
            steps[max(bisect_right(firsts, placed.step.line), 1) - 1].append(placed)
    found = []
    for number, ((first, title), (following, _)) in enumerate(
        zip(cuts, [*cuts[1:], (len(lines) + 1, "")], strict=True), start=1
    ):
        last = following - 1
        digest = hashlib.sha256("\n".join(lines[first - 1 : last]).strip().encode()).hexdigest()
        found.append(Section(number, title, first, last, digest, tuple(steps[number - 1])))
    return tuple(found)


def _cuts(plan: Plan | None, length: int) -> Iterator[tuple[int, str]]:
    """First line and title of every section, ascending."""
    starts: dict[int, str] = {}
    for stage in plan.stages if plan else ():
        for n, batch in enumerate(stage.batches):
            line = stage.line if n == 0 and stage.line else batch.line
            if 1 < line <= length:
                starts.setdefault(line, _title(stage, batch))
    ordered = [(1, "The plan as a whole" if starts else "The plan"), *sorted(starts.items())]
    for (first, title), (following, _) in zip(ordered, [*ordered[1:], (length + 1, "")], strict=True):
        for part, start in enumerate(range(first, max(following, first + 1), LONGEST), start=1):
            yield start, title if part == 1 else f"{title} ({part})"


def _title(stage: StageSpec, batch: BatchSpec) -> str:
    alone = batch.threads[0].steps if len(batch.threads) == 1 else ()
    gate = next((step.key for step in alone if step.gate), "")
    name = f"{gate}: {batch.name}" if gate else f"Batch {batch.prefix}: {batch.name}"
    return f"Stage {stage.number} · {name}"
