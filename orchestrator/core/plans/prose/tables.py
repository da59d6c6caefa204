"""Tables of tasks: a column says what is done, others say the id, what it waits for, who does it, how far
it is.
"""

import re
from dataclasses import dataclass
from typing import Final

from orchestrator.core.plans.prose.outline import Node
from orchestrator.core.plans.prose.words import bare
from orchestrator.core.plans.text.lines import Line

_RULE: Final = re.compile(r"\|?[ \t]*:?-{1,}:?[ \t]*(?:\|[ \t]*:?-{1,}:?[ \t]*)*\|?")
_BREAK: Final = re.compile(r"[ \t]*<br[ \t]*/?>[ \t]*", re.IGNORECASE)
_CELLS: Final = re.compile(r"(?<!\\)\|")
_COLUMNS: Final = {
    "id": re.compile(
        r"#|id|no\.?|nr\.?|number|key|(?:task|issue|ticket) (?:id|key|#|no\.?)|ref|step|issue|ticket",
        re.IGNORECASE,
    ),
    "title": re.compile(
        r"tasks?|title|name|action|item|work|what|description|todo|to do|activity|step|task name|deliverable"
        r"|summary|user story|story|feature|subject|activities",
        re.IGNORECASE,
    ),
    "waits": re.compile(
        r"depends? ?on|dependenc(?:y|ies)|depends|(?:is )?blocked by|waits for|needs|requires|after"
        r"|prerequisites?|predecessors?",
        re.IGNORECASE,
    ),
    "owner": re.compile(r"owner|assignee|who|assigned(?: to)?|responsible|agent", re.IGNORECASE),
    "status": re.compile(r"status|state|done\??|complete(?:d)?\??|progress|✅|✓|☑", re.IGNORECASE),
    "files": re.compile(r"files?|paths?", re.IGNORECASE),
    "estimate": re.compile(r"estimate|effort|time|duration", re.IGNORECASE),
}
#: What a column of groups is called; a table of groups and tasks is one of tasks.
_GROUPS: Final = re.compile(
    r"phase|stage|sprint|week|day|milestone|epic|component|area|module", re.IGNORECASE
)
MOST_COLUMNS: Final = 40
#: Columns of names that say what is done where no other column does.
_TITLES_TOO: Final = frozenset({"step", "issue", "ticket"})
#: A cell that says how far a task is, in a column without a name.
_MARK: Final = re.compile(r"\[[ \t]?[^\]\n\w]?[xX]?[ \t]?\]|[✅✓✔☑☒⬜☐🔲◻❌✗✘🔄🚧⏳xX]\ufe0f?|")


@dataclass(slots=True)
class TableRow:
    """A task of a table; `first` is the first line of the table, `cells` what the columns say by their
    kind.
    """

    line: int
    first: int
    title: str
    cells: dict[str, str]
    rest: list[str]


def rows_of(node: Node) -> list[TableRow]:
    """The tasks of the tables in a node's own text; a table needs a column for what is done and one more
    that is known.
    """
    rows: list[TableRow] = []
    table: list[Line] = []
    for line in node.lines:
        if "|" in line.body and (not table or line.number == table[-1].number + 1):
            table.append(line)
            continue
        rows += _rows(table)
        table = [line] if "|" in line.body else []
    return rows + _rows(table)


def _rows(table: list[Line]) -> list[TableRow]:
    if len(table) < 3 or not _RULE.fullmatch(table[1].body[:2_000]):
        return []
    header = [bare(cell) for cell in _cells(table[0].body)]
    kinds = _kinds(header)
    if "status" not in kinds and "" in header and _holds_marks(table, header.index("")):
        kinds["status"] = header.index("")
    grouped = any(_GROUPS.fullmatch(name) for name in header)
    if "title" not in kinds or len(kinds) + grouped < 2:
        return []
    rows: list[TableRow] = []
    for line in table[2:]:
        cells = _cells(line.body)
        said = {kind: cells[at] for kind, at in kinds.items() if at < len(cells) and cells[at]}
        title = _BREAK.sub("; ", said.pop("title", ""))
        if not title:
            continue
        if "waits" in kinds:
            # An empty cell says that nothing is waited for; a table without the column says nothing.
            said.setdefault("waits", "")
        known = set(kinds.values())
        rest = [
            f"{header[at]}: {cell}"
            for at, cell in enumerate(cells)
            if cell and at < len(header) and at not in known
        ]
        rows.append(TableRow(line.number, table[0].number, title, said, rest))
    return rows


def _holds_marks(table: list[Line], at: int) -> bool:
    """Whether a column says how far each task is."""
    rows = [_cells(line.body) for line in table[2:]]
    marks = [cells[at] for cells in rows if at < len(cells)]
    return any(marks) and all(_MARK.fullmatch(mark) for mark in marks)


def _kinds(header: list[str]) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for kind, pattern in _COLUMNS.items():
        for at, name in enumerate(header):
            if at not in kinds.values() and pattern.fullmatch(name):
                kinds[kind] = at
                break
    if "title" not in kinds and "id" in kinds and header[kinds["id"]].lower() in _TITLES_TOO:
        kinds["title"] = kinds.pop("id")
    return kinds


def _cells(text: str) -> list[str]:
    inner = text.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.replace("\\|", "|").strip() for cell in _CELLS.split(inner, maxsplit=MOST_COLUMNS)]
