"""What one page shows of a long plan: its first steps, and the lines that something was found on (WF-2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.plan import Plan, Reading, StageSpec
from orchestrator.core.plans.text.sections import lines_of

#: Steps of one page.
MOST_STEPS: Final = 500
#: A source of at most so many lines is shown whole; of a longer one its start and what stands beside lines
#: that were told of.
WHOLE: Final = 1_000
START: Final = 100
CONTEXT: Final = 2


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the source with the findings that stand on it; lines before a `gap` are left out."""

    number: int
    text: str
    findings: tuple[Finding, ...]
    #: What became of it where it looks like work and is in no step: `not read`, `kept as text`.
    mark: str = ""
    gap: bool = False

    @property
    def flag(self) -> str:
        if not self.findings:
            return "flagged" if self.mark else ""
        return "flagged-blocks" if any(finding.blocks for finding in self.findings) else "flagged"


def source_lines(source: str, reading: Reading) -> Iterator[SourceLine]:
    """The lines of a source with what was found on them."""
    marks = reading.account.marks
    on_line: dict[int, list[Finding]] = {}
    for finding in reading.findings:
        on_line.setdefault(finding.line, []).append(finding)
    texts = lines_of(source)
    last = 0
    for number in _shown(texts, {*marks, *on_line}):
        found = tuple(on_line.get(number, ()))
        yield SourceLine(number, texts[number - 1], found, marks.get(number, ""), gap=number > last + 1)
        last = number


def _shown(texts: Sequence[str], told: set[int]) -> Sequence[int]:
    if len(texts) <= WHOLE:
        return range(1, len(texts) + 1)
    shown = set(range(1, START + 1))
    for number in sorted(told):
        if len(shown) >= WHOLE:
            break
        shown.update(range(number - CONTEXT, number + CONTEXT + 1))
    return sorted(number for number in shown if 1 <= number <= len(texts))


def first_stages(plan: Plan | None) -> tuple[StageSpec, ...]:
    """The stages of a plan with its first steps, as many as one page shows."""
    left = MOST_STEPS
    stages: list[StageSpec] = []
    for stage in plan.stages if plan else ():
        batches = []
        for batch in stage.batches:
            threads = []
            for thread in batch.threads:
                steps = tuple(islice(thread.steps, left))
                left -= len(steps)
                threads += [replace(thread, steps=steps)] if steps else []
            batches += [replace(batch, threads=tuple(threads))] if threads else []
        stages += [replace(stage, batches=tuple(batches))] if batches else []
    return tuple(stages)
