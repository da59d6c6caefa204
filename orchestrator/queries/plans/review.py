"""One version laid out for review: sections with their steps, their lines or their changes, and comments.

Requirements: WF-3.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.compare import PlanChanges
from orchestrator.core.plans.plan import PlacedStep, Reading
from orchestrator.core.plans.text.line_diff import DiffLine, diff
from orchestrator.core.plans.text.prose import Prose, prose_of
from orchestrator.core.plans.text.sections import Section, lines_of, sections_of
from orchestrator.models import ViewedSection, WorkflowVersion
from orchestrator.queries.plans.comments import Discussions, PlacedDiscussion
from orchestrator.queries.plans.readings import KEPT, changes_between

#: A plan of at most so many lines is shown whole; of a longer one a section is loaded when it is opened.
WHOLE: Final = 400
#: Unchanged lines that are shown beside a changed one.
CONTEXT: Final = 3


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A line as it is shown: with what was found on it and what was said about it.

    `gap` stands before a jump; `mark` says what became of a line that looks like work and is in no step.
    """

    line: DiffLine
    findings: tuple[Finding, ...] = ()
    discussions: tuple[PlacedDiscussion, ...] = ()
    gap: bool = False
    mark: str = ""

    @property
    def flag(self) -> str:
        if not self.findings:
            return self.line.kind or ("flagged" if self.mark else "")
        return "flagged-blocks" if any(finding.blocks for finding in self.findings) else "flagged"


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """A step of the outline with what was said about it."""

    step: PlacedStep
    discussions: tuple[PlacedDiscussion, ...]
    first_of_thread: bool


@dataclass(frozen=True, slots=True)
class ReviewSection:
    """`lines`, `steps` and `prose` are empty while the section is not shown; the counts are there all the
    same. Beside its lines stand its steps, or its prose where it has no step.
    """

    section: Section
    added: int
    removed: int
    comments: int
    findings: int
    viewed: bool
    shown: bool
    lines: tuple[ReviewLine, ...] = ()
    steps: tuple[ReviewStep, ...] = ()
    prose: Prose | None = None

    @property
    def changed(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed since another version; `structure` is None when one of them cannot be read as a plan."""

    since: WorkflowVersion
    structure: PlanChanges | None
    lines: tuple[DiffLine, ...]

    @property
    def same(self) -> bool:
        return not any(line.kind for line in self.lines)

    @property
    def excerpt(self) -> tuple[ReviewLine, ...]:
        """The changed lines with what stands beside them."""
        return tuple(_excerpt(self.lines, [n for n, line in enumerate(self.lines) if line.kind]))


def _excerpt(lines: Sequence[DiffLine], kept: Iterable[int]) -> Iterator[ReviewLine]:
    last = -1
    for n in sorted(
        {m for one in kept for m in range(max(0, one - CONTEXT), min(len(lines), one + CONTEXT + 1))}
    ):
        yield ReviewLine(lines[n], gap=n > last + 1)
        last = n


def compare(since: WorkflowVersion, until: WorkflowVersion) -> Comparison:
    """Two versions of a plan; what they differ in is found once in a process."""
    return Comparison(since, changes_between(since, until), _lines_between(since.source, until.source))


def compare_lines(since: WorkflowVersion, until: WorkflowVersion) -> Comparison:
    """The same without the structure."""
    return Comparison(since, None, _lines_between(since.source, until.source))


@lru_cache(KEPT)
def _lines_between(old: str, new: str) -> tuple[DiffLine, ...]:
    return diff(lines_of(old), lines_of(new))


def review_sections(
    reading: Reading,
    source: str,
    talk: Discussions,
    viewed: Collection[str],
    comparison: Comparison | None = None,
    wanted: Collection[int] = (),
    line: int = 0,
) -> tuple[ReviewSection, ...]:
    """Every section; those `wanted`, the one with the wanted `line`, and all of a short plan are shown."""
    texts = lines_of(source)
    sections = sections_of(reading.plan, texts)
    lines = comparison.lines if comparison else [DiffLine("", n, text, n) for n, text in enumerate(texts, 1)]
    by_section = _by_section(sections, lines)
    laid = _Lines(reading, texts, talk, line, whole=comparison is None)
    found = []
    for section in sections:
        own = by_section[section.number]
        shown = len(texts) <= WHOLE or section.number in wanted or (line > 0 and section.holds(line))
        found.append(laid.section(section, own, section.sha256 in viewed, shown=shown))
    return tuple(found)


def viewed_by(version: WorkflowVersion, reader_id: int) -> frozenset[str]:
    """Hashes of the sections of this workflow that somebody marked as viewed."""
    rows = ViewedSection.objects.filter(
        workflow=version.workflow_id, reader=reader_id, viewed_at__isnull=False
    )
    return frozenset(rows.values_list("sha256", flat=True))


def _by_section(sections: Sequence[Section], lines: Iterable[DiffLine]) -> Mapping[int, list[DiffLine]]:
    firsts = [section.first for section in sections]
    found: dict[int, list[DiffLine]] = {section.number: [] for section in sections}
    for line in lines:
        found[max(bisect_right(firsts, line.at), 1)].append(line)
    return found


class _Lines:
    def __init__(
        self, reading: Reading, texts: Sequence[str], talk: Discussions, line: int, *, whole: bool
    ) -> None:
        self.texts, self.format = texts, reading.format
        self.findings: dict[int, list[Finding]] = {}
        for finding in reading.findings:
            self.findings.setdefault(finding.line, []).append(finding)
        self.marks = reading.account.marks
        self.by_line, self.by_step = talk.by_line, talk.by_step
        self.line, self.whole = line, whole

    def section(self, section: Section, lines: list[DiffLine], viewed: bool, *, shown: bool) -> ReviewSection:
        numbers = range(section.first, section.last + 1)
        steps = [placed.step.key for placed in section.steps]
        return ReviewSection(
            section=section,
            added=sum(line.kind == "ins" for line in lines),
            removed=sum(line.kind == "dele" for line in lines),
            comments=sum(len(self.by_line.get(n, ())) for n in numbers)
            + sum(len(self.by_step.get(key, ())) for key in steps),
            findings=sum(finding.blocks for n in numbers for finding in self.findings.get(n, ())),
            viewed=viewed,
            shown=shown,
            lines=tuple(self._shown(lines)) if shown else (),
            steps=tuple(self._steps(section)) if shown else (),
            prose=self._prose(section) if shown and not steps else None,
        )

    def _prose(self, section: Section) -> Prose | None:
        return prose_of(self.texts[section.first - 1 : section.last], self.format)

    def _shown(self, lines: list[DiffLine]) -> Iterator[ReviewLine]:
        """All lines, or those changed or spoken about, with what stands beside them."""
        kept = map(ReviewLine, lines) if self.whole else _excerpt(lines, self._told(lines))
        for one in kept:
            own = one.line.number if one.line.kind != "dele" else 0
            findings, discussions = self.findings.get(own, ()) if own else (), self.by_line.get(own, ())
            mark = self.marks.get(own, "") if own else ""
            yield replace(one, findings=tuple(findings), discussions=tuple(discussions), mark=mark)

    def _told(self, lines: list[DiffLine]) -> Iterator[int]:
        for n, line in enumerate(lines):
            if (
                line.kind
                or line.number in self.by_line
                or line.number == self.line
                or line.number in self.findings
            ):
                yield n

    def _steps(self, section: Section) -> Iterator[ReviewStep]:
        thread = None
        for placed in section.steps:
            yield ReviewStep(
                placed, tuple(self.by_step.get(placed.step.key, ())), placed.thread is not thread
            )
            thread = placed.thread
