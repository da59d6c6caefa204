"""Several files of one workstream as one source: PLAN.md with TASKS.md, tasks.json and index.json (WF-7,
WF-8).

Each part stands behind a line `<!-- file: name -->`, so every finding has its line in the text that a
reviewer sees. Structure and definitions come from PLAN.md, tasks and their state from the other files; what
only one of them has is told and kept. A folder of Backlog.md tasks is joined in the same way.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats import backlog, spec_kitty, spec_kitty_files, tasks_markdown, tasks_state
from orchestrator.core.plans.formats.rows import Placer, Row
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.drafts import PlanDraft, StepDraft, ThreadDraft
from orchestrator.core.plans.reading.items import name_items, progress_of, step_of
from orchestrator.core.plans.reading.json_source import (
    LONGEST_AGENT,
    listed,
    load,
    member,
    name_of,
    one_line,
    plain,
)
from orchestrator.core.plans.reading.markdown import finish_plan, read_draft
from orchestrator.core.plans.reading.progress import tell_state
from orchestrator.core.plans.text.front_matter import FrontMatter
from orchestrator.core.plans.text.lines import split_lines

_FILE: Final = re.compile(r"<!-- file: (.{1,300}) -->")
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a joined source; `first` is the line of the joined text that its first line stands on."""

    name: str
    lines: list[str]
    first: int

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def join(files: Iterable[tuple[str, str]]) -> str:
    """One text of these files (name, text), in this order."""
    return "".join(
        f"<!-- file: {name} -->\n{text.removeprefix(chr(0xFEFF)).rstrip()}\n\n" for name, text in files
    )


def looks_like(text: str) -> bool:
    return bool(_FILE.match(text.removeprefix("\ufeff")[:400].split("\n", 1)[0].strip()))


def read(text: str) -> Reading:
    """The plan that the files make together."""
    findings = Findings()
    parts = _parts(split_lines(text))
    if any(spec_kitty_files.is_package("\n".join(part.lines[:80])) for part in parts):
        return spec_kitty.read(text)
    plan, tasks, state, index = (
        _part(parts, name) for name in ("PLAN.md", "TASKS.md", "tasks.json", "index.json")
    )
    if plan is None and tasks is None and state is None:
        if backlog.looks_like("\n".join(line for part in parts[:1] for line in part.lines)):
            return backlog.read(text)
        message = "The source has no part PLAN.md, TASKS.md or tasks.json and no Backlog.md task."
        findings.add("no-step", 0, message, "Submit the folder of one workstream.")
        return Reading(None, findings.all())
    draft, matter = read_draft(plan.lines, findings, plan.first) if plan else (PlanDraft(), FrontMatter())
    stream, rows = _rows(tasks, state, findings)
    draft.name = draft.name or stream
    _read_index(index, stream, rows, findings)
    _merge(draft, rows, bool(plan), findings)
    lines, first = (plan.lines, plan.first) if plan else ([], 1)
    reading = finish_plan(draft, matter, lines, Findings(), first)
    findings.extend(reading.findings)
    progress = progress_of(row.item for row in rows) if reading.plan else ()
    tell_state(progress, findings)
    known = {one.key for one in progress}
    ticks = tuple(one for one in reading.progress if one.key not in known)
    return Reading(reading.plan, findings.all(), (*progress, *ticks))


def _parts(lines: list[str]) -> list[Part]:
    starts = [
        number for number, line in enumerate(lines) if line.startswith("<!-- file:") and _FILE.fullmatch(line)
    ]
    parts = []
    for start, end in pairwise([*starts, len(lines)]):
        found = _FILE.fullmatch(lines[start])
        parts.append(Part(found[1] if found else "", lines[start + 1 : end], start + 2))
    return parts


def _part(parts: list[Part], name: str) -> Part | None:
    """The first part with this name, or with this name behind a stem (`ledger.PLAN.md`)."""
    return next(
        (p for p in parts if f".{p.name.rsplit('/', 1)[-1]}".lower().endswith(f".{name.lower()}")), None
    )


def _rows(tasks: Part | None, state: Part | None, findings: Findings) -> tuple[str, list[Row]]:
    """The workstream's name and its tasks; where both files have a task, tasks.json says its state."""
    listed_rows = tasks_markdown.rows_of(tasks.lines, tasks.first, findings)[1] if tasks else []
    name_items([row.item for row in listed_rows], findings)
    value = _loaded(state, findings)
    stream = name_of(value.get("stream_id"))
    rows = _rows_of_state(value, state, findings) if state else []
    if not tasks or not rows:
        return stream, rows or listed_rows
    return stream, _joined(listed_rows, rows, findings)


def _rows_of_state(value: dict[str, Any], state: Part, findings: Findings) -> list[Row]:
    own = Findings()
    rows = tasks_state.rows_of(value, state.text, own)
    name_items([row.item for row in rows], own)
    for row in rows:
        row.item.line += (state.first - 1) if row.item.line else 0
    _shift(own, state, findings)
    return rows


def _loaded(part: Part | None, findings: Findings) -> dict[str, Any]:
    if part is None:
        return {}
    own = Findings()
    value = load(part.text, own)
    _shift(own, part, findings)
    return value if isinstance(value, dict) else {}


def _shift(own: Findings, part: Part, findings: Findings) -> None:
    findings.extend(replace(f, line=f.line + part.first - 1 if f.line else part.first - 1) for f in own.all())


def _joined(listed_rows: list[Row], rows: list[Row], findings: Findings) -> list[Row]:
    state = {row.item.key: row for row in rows}
    known = {row.item.key for row in listed_rows}
    for row in listed_rows:
        other = state.get(row.item.key)
        if other is None:
            continue
        if other.item.status is not row.item.status:
            message = (
                f"{row.item.key} is {row.item.status} in TASKS.md and {other.item.status} in "
                f"tasks.json, which counts."
            )
            findings.add("files-differ", row.item.line, message, "Bring TASKS.md up to date.")
        other.item.report = other.item.report or row.item.report
        other.item.agent = other.item.agent or row.item.agent
        other.item.details += row.item.details
    _tell([r for r in listed_rows if r.item.key not in state], "only in TASKS.md", findings)
    _tell([r for r in rows if r.item.key not in known], "only in tasks.json", findings)
    return [state.get(row.item.key, row) for row in listed_rows] + [
        r for r in rows if r.item.key not in known
    ]


def _tell(rows: Sequence[Row], where: str, findings: Findings) -> None:
    if rows:
        message = f"{len(rows)} tasks stand {where}: {_some(row.item.key for row in rows)}; they are kept."
        findings.add(
            "files-differ", rows[0].item.line, message, "Put them into both files, or take them out."
        )


def _merge(draft: PlanDraft, rows: list[Row], planned: bool, findings: Findings) -> None:
    """Put the tasks into the threads of the plan; `planned` says that there is a PLAN.md to compare with."""
    batches = [batch for stage in draft.stages for batch in stage.batches]
    own = [thread for batch in batches for thread in batch.threads]
    placer = Placer(draft)
    used: set[int] = set()
    renamed: dict[str, int] = {}
    steps: dict[int, dict[str, StepDraft]] = {}
    for row in rows:
        place = placer.place(row)
        thread = place[2]
        for name, own_name in zip(row.names, (place[0].name, place[1].name, thread.name), strict=True):
            if name and name.lower() != own_name.lower():
                renamed.setdefault(f"“{name[:60]}” for “{own_name[:60]}”", row.item.line)
        if id(thread) not in used:
            used.add(id(thread))
            steps[id(thread)] = {name: s for s in thread.steps for name in (s.key, s.title.lower()) if name}
        _put(thread, row, steps[id(thread)])
    if planned and rows:
        _tell_threads([thread for thread in own if id(thread) not in used and not thread.steps], findings)
        missing = {id(thread) for thread in placer.made}
        _tell(
            [row for row in rows if id(placer.place(row)[2]) in missing],
            "in threads that PLAN.md does not name",
            findings,
        )
    if planned and renamed:
        message = (
            f"The plan and its tasks use other names: {_some(renamed)}. The number decides, PLAN.md names it."
        )
        findings.add("files-differ", next(iter(renamed.values())), message, "Use one name.")


def _put(thread: ThreadDraft, row: Row, steps: dict[str, StepDraft]) -> None:
    """A task that the plan lists itself only gives its state; any other is added."""
    known = steps.get(row.item.key) or steps.get(row.item.title.lower())
    if known is None:
        thread.steps.append(step_of(row.item))
    elif known.key:
        row.item.key = known.key
    else:
        known.key = row.item.key


def _tell_threads(threads: list[ThreadDraft], findings: Findings) -> None:
    if threads:
        message = (
            f"{len(threads)} threads of the plan have no task in the other files and stay one task each: "
        )
        message += _some(thread.name[:60] for thread in threads) + "."
        findings.add("files-differ", threads[0].line, message, "List their tasks, if they have any.")


def _read_index(part: Part | None, stream: str, rows: list[Row], findings: Findings) -> None:
    """The registry: an approval is told, running assignments say who has a task."""
    streams = [one for one in listed(_loaded(part, findings).get("streams")) if isinstance(one, dict)]
    mine = [one for one in streams if stream and plain(one.get("id")) == stream] or (
        streams if len(streams) == 1 else []
    )
    for one in mine[:1]:
        approval = member(one, "approval")
        if plain(approval.get("status")) == "approved":
            said = f"by {plain(approval.get('approved_by'))[:60]} " if approval.get("approved_by") else ""
            message = (
                f"The registry says that this plan was approved "
                f"{said}{plain(approval.get('approved_at'))[:40]}"
            )
            line = part.first - 1 if part else 0
            findings.add(
                "approval-not-read", line, f"{message.rstrip()}; here it is decided anew.", "Review it."
            )
        held = [claim for claim in listed(one.get("assignments")) if isinstance(claim, dict)]
        agents = {plain(claim.get("task")): one_line(claim.get("agent"), LONGEST_AGENT) for claim in held}
        for row in rows:
            row.item.agent = row.item.agent or agents.get(row.item.key, "")


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
