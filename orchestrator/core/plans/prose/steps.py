"""A chosen heading, item or row as a step: its name, title, state and what stands below it."""

import re
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.prose.choose import Chosen
from orchestrator.core.plans.prose.outline import Kind, Node, Outline
from orchestrator.core.plans.prose.parts import Parts, parts_of, paths_in
from orchestrator.core.plans.prose.references import said_in, says_none, split_dependency
from orchestrator.core.plans.prose.words import bare, split_name, split_state
from orchestrator.core.plans.reading.items import Item, key_of
from orchestrator.core.plans.reading.json_source import LONGEST_AGENT, one_line
from orchestrator.core.plans.reading.progress import STATUS, status_of
from orchestrator.core.plans.text.boxes import split_box, status_of_mark
from orchestrator.core.plans.text.paths import path_in
from orchestrator.core.plans.text.titles import split_title
from orchestrator.core.terms import TaskStatus

_TICKED: Final = re.compile(r"`([^`\s]{1,200})`")
_LABELS: Final = re.compile(
    r"(?:\[(?P<label>P|US\d{1,4}|parallel)\][ \t]*)|(?P<end>[ \t]*\((?P<word>parallel"
    r"|can run in parallel)\))\Z",
    re.IGNORECASE,
)
#: What a cell says beside the words that are known of states.
_CELLS: Final = {
    **dict.fromkeys(("x", "yes", "y", "true", "☑", "☒", "100%"), TaskStatus.COMPLETE),
    **dict.fromkeys(("no", "n", "false", "❌", "✗", "✘", "⬜", "☐", "🔲", "◻", "0%"), TaskStatus.PENDING),
}
#: conductor writes the commit behind a finished task.
_COMMIT: Final = re.compile(r"[ \t]+[\[(`]?(?P<hash>(?=[a-f0-9]*\d)[a-f0-9]{7,12})[\])`]?\Z")
#: `**Collect addresses** from the shop`: the bold words are a name of the step, too.
_LEAD: Final = re.compile(r"\*\*([^*]{2,100}?):?\*\*")


@dataclass(slots=True)
class Drafted:
    """A step with everything read about it, before it has its key."""

    item: Item
    name: str
    ordered: str
    parts: Parts
    waits: list[tuple[str, int, bool]] = field(default_factory=list)
    aliases: tuple[str, ...] = ()


def drafted(chosen: Chosen, outline: Outline, findings: Findings) -> Drafted:
    """Read one step."""
    node = chosen.node
    parts = parts_of(outline, node, chosen.first, chosen.last) if chosen.row is None else _row_parts(chosen)
    name, text, mark = _named(chosen)
    text = " ".join([text, *parts.title]) if parts.title else text
    text, parallel = _without_labels(text)
    text, waits_for = split_dependency(text)
    report = ""
    commit = _COMMIT.search(text) if mark in ("x", "~") else None
    if commit:
        text, report = text[: commit.start()], f"Commit {commit['hash']}"
    title, whole = split_title(bare(text) or text.strip() or name)
    if whole:
        parts.details.insert(0, whole)
    files = parts.files
    if "`" in text:
        ticked = (path_in(word) for word in _TICKED.findall(text))
        files = files + [path for path in ticked if path and path not in parts.files]
    item = Item(
        key="",
        title=title,
        line=node.line,
        details=["\n".join(parts.details).strip("\n")],
        exits=parts.exits,
        files=files,
        parallel=parallel or None,
        estimate=parts.estimate,
        status=_status(chosen, mark, parts, findings),
        report=report,
        agent=one_line(parts.owner, LONGEST_AGENT),
    )
    waits = [
        *parts.waits,
        *([(waits_for, node.line, False)] if waits_for and not says_none(waits_for) else []),
    ]
    spoken = said_in(text)
    waits += [(value, node.line, True) for value in (spoken[1] if spoken else ())]
    parts.independent = parts.independent or (bool(waits_for) and says_none(waits_for))
    lead = _LEAD.search(node.text) if "**" in node.text else None
    return Drafted(item, key_of(name), node.number, parts, waits, (bare(lead[1]),) if lead else ())


def _named(chosen: Chosen) -> tuple[str, str, str | None]:
    """What the text calls the step, its title and its mark."""
    node = chosen.node
    if chosen.row is not None:
        return bare(chosen.row.cells.get("id", "")), chosen.row.title, None
    if node.kind is Kind.HEADING and node.heading is not None:
        heading = node.heading
        noun = heading.noun if heading.role.value == "group" else ""
        return (f"{noun}-{heading.name}" if noun else heading.name), heading.title, heading.mark or None
    name, title = split_name(node.text.removeprefix("**") if node.text.startswith("**") else node.text)
    return name, (title if name or title != node.text.removeprefix("**") else node.text), node.mark


def _without_labels(text: str) -> tuple[str, bool]:
    """The title without `[P]`, `[US1]` and `(parallel)`, and whether it may run beside its neighbours."""
    parallel = False
    if "[" not in text and not text.endswith(")"):
        return text, parallel
    for _ in range(6):
        found = _LABELS.match(text) or _LABELS.search(text[-40:])
        if found is None:
            break
        word = (found["label"] or found["word"] or "").lower()
        parallel = parallel or not word.startswith("us")
        text = text[found.end() :] if _LABELS.match(text) else text[: len(text) - len(found[0])]
        text = text.strip()
    return text, parallel


def _status(chosen: Chosen, mark: str | None, parts: Parts, findings: Findings) -> TaskStatus:
    """What the box, the emoji or the word says; for a heading with boxes below, how many of them are
    ticked.
    """
    node = chosen.node
    if chosen.row is not None:
        return _status_in(chosen.row.cells.get("status", ""), node.line, findings)
    if mark is not None:
        return status_of_mark(mark, node.line, findings)
    if parts.status:
        state, word = split_state(parts.status)
        known = STATUS.get("-".join(word.lower().replace("_", " ").split()))
        if state or known:
            return status_of_mark(state, node.line, findings) if state else known or TaskStatus.PENDING
    if not (node.items or node.headings):
        return TaskStatus.PENDING
    boxes = _marks_below(node)
    ticked = sum(1 for box in boxes if box == "x")
    if boxes and ticked == len(boxes):
        return TaskStatus.COMPLETE
    return TaskStatus.ACTIVE if ticked else TaskStatus.PENDING


def _status_in(cell: str, line: int, findings: Findings) -> TaskStatus:
    """What a cell says: a box, a sign, yes or no, or a word."""
    state = split_state(f" {cell}")[0]
    box = split_box(cell)
    if state or (box and not box[1]):
        return status_of_mark(state or (box[0] if box else ""), line, findings)
    plain = bare(cell).strip("\ufe0f")
    if plain.lower() in _CELLS:
        return _CELLS[plain.lower()]
    return status_of(plain, line, findings)


def _marks_below(node: Node) -> list[str]:
    """What stands in the boxes below a node, in any order."""
    marks: list[str] = []
    inside = [*node.items, *node.headings]
    while inside:
        inner = inside.pop()
        marks += () if inner.mark is None else (inner.mark,)
        inside += inner.items
        inside += inner.headings
    return marks


def _row_parts(chosen: Chosen) -> Parts:
    assert chosen.row is not None
    cells = chosen.row.cells
    parts = Parts(details=list(chosen.row.rest), owner=cells.get("owner", "").lstrip("@"))
    parts.files = paths_in(cells.get("files", ""))
    if "files" in cells and not parts.files:
        parts.details.append(f"Files: {cells['files']}")
    waits = cells.get("waits")
    if waits is not None and says_none(waits):
        parts.independent = True
    elif waits:
        parts.waits.append((waits, chosen.row.line, False))
    if "estimate" in cells:
        parts.details.append(f"Estimate: {cells['estimate']}")
    return parts
