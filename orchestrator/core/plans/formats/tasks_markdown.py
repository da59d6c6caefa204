"""`TASKS.md` of seed 000: H2 stage, H3 batch, H4 `Thread NN: name @agent:x`, `- [ ] Task SS.BB.TT.NN: x`."""

import re
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats.rows import Placer, Row
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.build import build_plan
from orchestrator.core.plans.reading.drafts import PlanDraft
from orchestrator.core.plans.reading.items import Item, key_of, name_items, reading_with
from orchestrator.core.plans.reading.json_source import LONGEST_TITLE, name_of, one_line
from orchestrator.core.plans.text.boxes import BOX, status_of_mark
from orchestrator.core.plans.text.front_matter import FrontMatter
from orchestrator.core.plans.text.lines import Line, LineKind, scan, split_lines

_TASK: Final = re.compile(
    rf"(?P<box>{BOX})[ \t]+(?:\*\*)?(?:Task[ "
    r"\t]+)?(?P<id>\d{1,4}(?:\.\d{1,6}){3})(?:\*\*)?[ \t]*:(?:\*\*)?"
    r"[ \t]*(?P<text>.*)",
    re.DOTALL | re.IGNORECASE,
)
_LOOKS: Final = re.compile(rf"(?mi)^[ \t]{{0,4}}[-*+] {BOX} (?:\*\*)?" r"Task \d{1,4}(?:\.\d{1,6}){3}\b")
#: What only a PLAN.md has: its title, gates, deeper headings, labels, properties of steps.
_NOT: Final = re.compile(
    r"(?mi)^(?:#{1,6}[ \t]+(?:plan:|gate\b|merge[ -]?point\b)|#{5,6}[ \t]+(?:batch|thread)\b"
    r"|\*\*(?:summary|details|tasks):?\*\*"
    r"|[ \t]{1,8}[-*+] (?:role|tool|run|files|resources|entry|exit|done when|needs|estimate|parallel):)"
)
_HEADING: Final = re.compile(
    r"(?:(?:stage|batch|thread)[ \t]+)?(?:\d{1,4}[ \t]*[:.–-]?[ \t]*)?(.*)", re.I | re.DOTALL
)
_AGENT: Final = re.compile(r"[ \t]*\(?@agent:[ \t]*([\w.-]{1,150})\)?")
_REPORT: Final = re.compile(r"(?:>[ \t]*)?(report|breadcrumb):[ \t]*(.*)", re.IGNORECASE | re.DOTALL)


def looks_like(text: str) -> bool:
    """Whether tasks with four-part numbers stand below boxes, and nothing that only a PLAN.md has."""
    return bool(_LOOKS.search(text)) and not _NOT.search(text)


def read(text: str) -> Reading:
    findings = Findings()
    name, rows = rows_of(split_lines(text), 1, findings)
    items = [row.item for row in rows]
    name_items(items, findings)
    draft = PlanDraft(name=name or "Tasks")
    Placer(draft).put(rows)
    return reading_with(build_plan(draft, FrontMatter(), findings), items, findings)


def rows_of(lines: list[str], first: int, findings: Findings) -> tuple[str, list[Row]]:
    """The title, and the tasks in the order of the file; lines are numbered from `first`."""
    reader = _TasksReader(findings)
    for line in scan(lines, first).lines:
        reader.take(line)
    return reader.title, reader.rows


class _TasksReader:
    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.title = ""
        self.rows: list[Row] = []
        self.names = ["", "", ""]
        self.agent = ""
        self.open: Item | None = None

    def take(self, line: Line) -> None:
        if line.kind is LineKind.HEADING:
            self._heading(line)
            return
        found = _TASK.fullmatch(line.body) if line.kind is LineKind.BULLET else None
        if found:
            self._task(found, line)
        elif line.kind is LineKind.BULLET and line.body.startswith("[") and line.indent < 2:
            message = f"The box has no number SS.BB.TT.NN and is left out: {line.body[:60]}"
            self.findings.add(
                "box-without-key", line.number, message, "Number the task as its thread is numbered."
            )
            self.open = None
        elif self.open is not None and line.kind in (LineKind.TEXT, LineKind.BULLET):
            self._more(self.open, line)

    def _heading(self, line: Line) -> None:
        self.open = None
        found = _AGENT.search(line.body)
        bare = _HEADING.fullmatch(_AGENT.sub("", line.body).strip())
        name = name_of(bare[1]) if bare else ""
        if line.level == 1:
            self.title = self.title or name_of(re.sub(r"(?i)^tasks?:?[ \t]*", "", line.body))
        elif line.level <= 4:
            self.names[line.level - 2 :] = [name, "", ""][: 5 - line.level]
        if found or line.level <= 4:
            self.agent = found[1] if found else ""

    def _task(self, found: re.Match[str], line: Line) -> None:
        own = _AGENT.search(found["text"])
        self.open = Item(
            key=key_of(found["id"]),
            title=one_line(_AGENT.sub("", found["text"]), LONGEST_TITLE),
            line=line.number,
            status=status_of_mark(found["box"].strip("[] \t"), line.number, self.findings),
            agent=own[1] if own else self.agent,
        )
        self.rows.append(Row(self.open, (self.names[0], self.names[1], self.names[2])))

    def _more(self, item: Item, line: Line) -> None:
        said = _REPORT.fullmatch(line.body)
        if said and said[1].lower() == "report":
            item.report = "\n".join(text for text in (item.report, said[2].strip()) if text)
        elif said:
            item.breadcrumb = said[2].strip()
        elif line.body.startswith(">") and item.report:
            item.report += "\n" + line.body.lstrip("> \t")
        else:
            item.details.append(line.raw.strip())
