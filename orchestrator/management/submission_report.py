"""What became of many plans that were submitted at once, as a table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.errors import PlanRejected, WrongState
from orchestrator.core.findings import Finding
from orchestrator.management.plan_source import lines_of
from orchestrator.queries.work.duplicates import undecided
from orchestrator.services.plans.bundles import BundleSubmission
from orchestrator.services.plans.submissions import Outcome, ReadFiles, ReadPlan

HEAD: Final = ("file", "format", "tasks", "blocking", "other", "workstream", "version", "result")
WAITS: Final = "waits for review"
REFUSED: Final = "refused"
HELD_BACK: Final = "held back by the others"
AGAIN: Final = "Correct the others and submit all of them again; nothing was stored."


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    """One plan: how it was read, what became of it, and the findings that people have to see."""

    read: ReadPlan
    outcome: Outcome
    result: str
    findings: Sequence[Finding]

    @property
    def refused(self) -> bool:
        return self.outcome.submission is None

    @property
    def blocking(self) -> int:
        return sum(finding.blocks for finding in self.findings)

    @property
    def cells(self) -> tuple[str, ...]:
        done = self.outcome.submission
        return (
            self.read.file.name,
            str(self.read.format or "–"),
            str(self.read.tasks),
            str(self.blocking),
            str(len(self.findings) - self.blocking),
            done.workstream.slug if done else "–",
            str(done.version.number) if done else "–",
            self.result,
        )


def rows_of_each(read: ReadFiles, outcomes: Iterable[Outcome]) -> list[SubmissionRow]:
    return [_row(one, outcome) for one, outcome in zip(read.plans, outcomes, strict=True)]


def rows_of_bundle(read: ReadFiles, done: BundleSubmission) -> list[SubmissionRow]:
    """In the order of submission."""
    plans = {plan.file.name: plan for plan in read.plans}
    return [_row(plans[name], Outcome(name, submission)) for name, submission in done.members.items()]


def rows_of_refused(read: ReadFiles, findings: Mapping[str, Sequence[Finding]]) -> list[SubmissionRow]:
    """A bundle that was refused as a whole: the plans that are wrong, and those that only wait for them."""
    rows = []
    for plan in read.plans:
        name, found = plan.file.name, findings.get(plan.file.name, ())
        wrong = any(finding.blocks for finding in found)
        refusal = PlanRejected(found) if wrong else WrongState(f"{name} is {HELD_BACK}.", recovery=AGAIN)
        outcome = Outcome(name, refusal=refusal)
        rows.append(
            SubmissionRow(plan, outcome, REFUSED if wrong else HELD_BACK, found or plan.reading.findings)
        )
    return rows


def _row(read: ReadPlan, outcome: Outcome) -> SubmissionRow:
    if outcome.submission is None:
        return SubmissionRow(read, outcome, REFUSED, outcome.findings)
    alike = len(undecided(outcome.submission.workstream))
    adopts = ", adopts the state of its source" if outcome.submission.version.adopts else ""
    like = f", resembles {alike} other{'s' if alike > 1 else ''}" if alike else ""
    return SubmissionRow(read, outcome, f"{WAITS}{adopts}{like}", outcome.submission.reading.findings)


def table(rows: Iterable[SubmissionRow]) -> Iterator[str]:
    lines = [HEAD, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()


def told(rows: Iterable[SubmissionRow]) -> Iterator[str]:
    """Why each refused plan was, a line for every finding."""
    for row in rows:
        if row.result == REFUSED:
            yield from (f"{row.read.file.name} {line.strip()}" for line in lines_of(row.findings))
            refusal = row.outcome.refusal
            if refusal and not row.findings:
                yield f"{row.read.file.name} {refusal.message} {refusal.way_out}"
