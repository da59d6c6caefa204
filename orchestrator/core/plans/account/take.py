"""The account of a reading: each line that looks like work, each dependency, with its fate (WF-2, AD-1).

The lines are found in the source alone (`markdown_lines.py`, `values.py`, `yaml_lines.py`,
`dependencies.py`) and looked up in the plan value (`sorting.py`, `carried.py`): no reader keeps this account
of itself.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.account.dependencies import waits_in_markdown
from orchestrator.core.plans.account.markdown_lines import front_matters, work_in_markdown
from orchestrator.core.plans.account.sorting import Sorter
from orchestrator.core.plans.account.values import work_in_json, work_in_json_lines
from orchestrator.core.plans.account.yaml_lines import work_in_yaml
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.json_start import starts_json
from orchestrator.core.plans.text.lines import Line, LineKind, made_once, scan, split_lines
from orchestrator.core.plans.work_lines import Account, AccountEntry, Fate, WorkKind, WorkLine, spans
from orchestrator.core.terms import Format

_JSON: Final = frozenset({Format.TASK_MASTER, Format.BUNDLE_WS, Format.TASKS, Format.PLAN_FILE, Format.TODO})
_FILE: Final = re.compile(r"<!-- file: .{1,300} -->")
_LISTED: Final = frozenset({WorkKind.NUMBERED, WorkKind.ITEM})
#: Kinds of lines that may say what waits for what, and nothing else.
_SAYS: Final = _LISTED | {WorkKind.KEYED}
_SURE: Final = frozenset({WorkKind.BOX, WorkKind.KEYED, WorkKind.HEADING, WorkKind.ROW, WorkKind.TASK})


def account_of(text: str, reading: Reading, form: Format) -> Account:
    """What became of every line of a text that looks like work, or that says what waits for what."""
    sorter = Sorter(reading)
    entries: list[AccountEntry | None] = []
    for texts, first in _parts(text, form):
        entries += map(sorter.entry, _work_in(texts, first, form, reading.plan))
        sorter.next_file()
    found = [entry for entry in entries if entry is not None]
    found += _other_steps(sorter.seen, reading.plan)
    return Account(tuple(sorted(found, key=lambda entry: entry.line.number)))


def _other_steps(seen: set[str], plan: Plan | None) -> Iterator[AccountEntry]:
    """Steps that stand on a line which does not look like work by itself: a heading, a sentence."""
    for step in plan.steps() if plan else ():
        if step.line and step.key not in seen:
            yield AccountEntry(WorkLine(step.line, WorkKind.OTHER, step.title), Fate.STEP)


def findings_of(account: Account, reading: Reading, form: Format) -> Iterator[Finding]:
    """What the reviewer is told of the lines that are in no step."""
    if reading.plan is None:
        return
    lost = [entry.line for entry in account.entries if entry.fate is Fate.UNREAD]
    yield from (_unread(lines) for lines in _told_together(lost))
    beside = list(_beside_steps(account)) if form is Format.PLAN else []
    yield from (_as_text(lines) for lines in _sections(beside))
    read = {
        line.number
        for line, fate in account.entries
        if line.kind is WorkKind.DEPENDENCY and fate is Fate.PART
    }
    kept = [
        line
        for line, fate in account.entries
        if fate is Fate.TEXT and line not in beside and not (line.number in read and line.kind in _SAYS)
    ]
    yield from (_as_text(lines) for lines in _sections(kept) if _is_missed(lines, form))


def _beside_steps(account: Account) -> Iterator[WorkLine]:
    """Bullets of a PLAN.md that are text, although steps stand above them in the same list."""
    under: str | None = None
    for line, fate in account.entries:
        if fate is Fate.STEP:
            under = line.under
        elif fate is Fate.TEXT and line.kind is WorkKind.ITEM and line.under == under:
            yield line


def _is_missed(lines: list[WorkLine], form: Format) -> bool:
    """Whether a section of text may hold work: lists in prose stand in what says that it is text."""
    if any(line.kind in _SURE for line in lines):
        return True
    return form is not Format.PLAN and not all(line.aside for line in lines)


def _parts(text: str, form: Format) -> Iterator[tuple[list[str], int]]:
    """The files of a source, each with the number of its first line."""
    texts = split_lines(text)
    starts = []
    if form is Format.FOLDER:
        starts = [n for n, line in enumerate(texts) if line.startswith("<!--") and _FILE.fullmatch(line)]
    if not starts:
        yield texts, 1
        return
    for start, end in pairwise([*starts, len(texts)]):
        yield texts[start + 1 : end], start + 2


def _work_in(texts: list[str], first: int, form: Format, plan: Plan | None) -> Iterator[WorkLine]:
    if form is Format.BEADS:
        yield from work_in_json_lines(texts, first)
    elif form in _JSON or (form is Format.FOLDER and starts_json("\n".join(texts))):
        yield from work_in_json("\n".join(texts), first)
    elif form is Format.YAML:
        ends = _matter_ends(texts)
        yield from work_in_yaml(texts[:ends] if ends else texts, first)
        if ends:
            yield from _work_in_text(texts[ends:], first + ends, plan, every=True)
    else:
        yield from _work_in_text(texts, first, plan, every=form is not Format.PLAN)


def _matter_ends(texts: list[str]) -> int:
    """How many lines front matter has, with both of its rules; 0 where there is none."""
    if not texts or texts[0].strip("\ufeff \t") != "---":
        return 0
    return next((place + 1 for place in range(1, len(texts)) if texts[place].rstrip() == "---"), 0)


def _work_in_text(texts: list[str], first: int, plan: Plan | None, *, every: bool) -> Iterator[WorkLine]:
    skipped, tasks = front_matters(texts, first)
    lines = scan(texts, first).lines
    if _in_code(lines, first, plan):
        lines = scan(texts, first, open_markdown=True).lines
    yield from tasks
    yield from made_once(lines, ("work", every), lambda: _found_in(lines, skipped, every=every))


def _found_in(lines: tuple[Line, ...], skipped: set[int], *, every: bool) -> list[WorkLine]:
    own = [line for line in lines if line.number not in skipped] if skipped else lines
    return [*work_in_markdown(own, every=every), *waits_in_markdown(own)]


def _in_code(lines: Sequence[Line], first: int, plan: Plan | None) -> bool:
    """Whether steps were read out of Markdown code blocks; the lines are all from the first one on."""
    steps = plan.steps() if plan else ()
    places = (step.line - first for step in steps)
    return any(0 <= place < len(lines) and lines[place].kind is LineKind.CODE for place in places)


def _told_together(lines: list[WorkLine]) -> Iterator[list[WorkLine]]:
    """Each line alone, but the items of one list together."""
    for section in _sections(lines):
        listed = [line for line in section if line.kind in _LISTED]
        yield from ([line] for line in section if line.kind not in _LISTED)
        yield from [listed] if listed else []


def _unread(lines: list[WorkLine]) -> Finding:
    first, count = lines[0], len(lines)
    if first.kind is WorkKind.DEPENDENCY:
        message = f"Something waits for “{first.text.strip()[:80]}” here, and nothing in the plan does."
        fix = "Write it behind the step that waits, as `(needs A1)`, or take it out."
        return finding("dependency-not-read", first.number, message, fix)
    where = f" under “{first.under[:60]}”" if first.under else ""
    if count > 1:
        listed = f"{count} {first.kind.value[1]}{where} look like work and are"
        message = f"{listed} not part of the plan: {spans(line.number for line in lines)}."
    else:
        listed = f"This {first.kind.value[0]}{where} looks like work and is"
        message = f"{listed} not part of the plan: “{first.text[:80]}”."
    fix = "Write it as a step, or below the step that it belongs to; or edit the reading as PLAN.md."
    return finding("not-read", first.number, message, fix)


def _as_text(lines: list[WorkLine]) -> Finding:
    """One finding for the lines of a section that nobody will do because they are text."""
    first, count = lines[0], len(lines)
    kinds = {line.kind for line in lines}
    word = first.kind.value if len(kinds) == 1 else ("line that looks like work", "lines that look like work")
    section = f" of “{first.under[:60]}”" if first.under else ""
    where = spans(line.number for line in lines)
    message = (
        f"1 {word[0]}{section} stands in no step and is kept as text: {where}."
        if count == 1
        else f"{count} {word[1]}{section} stand in no step and are kept as text: {where}."
    )
    fix = "Write as steps what somebody has to do; the rest may stay."
    return finding("work-as-text", first.number, message, fix)


def _sections(lines: list[WorkLine]) -> list[list[WorkLine]]:
    """Lines that stand under one heading, together."""
    sections: list[list[WorkLine]] = []
    for line in lines:
        if sections and sections[-1][-1].under == line.under:
            sections[-1].append(line)
        else:
            sections.append([line])
    return sections
