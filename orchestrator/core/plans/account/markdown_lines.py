"""The lines of a Markdown source that look like work, found without any reader's help.

Boxes with any mark, numbered and keyed items, task headings, rows of task tables, bullets under a phase, XML
tasks, and the front matter of a file that is one task. What stands in code blocks, comments and other front
matter is none of them.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.core.plans.account.yaml_lines import work_in_yaml
from orchestrator.core.plans.text.lines import Line, LineKind
from orchestrator.core.plans.work_lines import WorkKind, WorkLine

#: A box with any mark; a capital other than X is a label, as in `[P]` and `[US1]`.
_BOX: Final = re.compile(
    r"(?:[-*+•][ \t]+|\d{1,9}[.)][ \t]+|>[ \t]*)*\[[ \t]{0,3}(?:X|[^A-Z\d\]\n])?[ \t]{0,3}\](?![(\[:])\*?"
    r"[ \t]*(\S.*)",
    re.DOTALL,
)
#: A sign instead of a box: `☐ title`.
_BALLOT: Final = re.compile(r"(?:(?:[-*+•]|\d{1,9}[.)])[ \t]+)?[☐☑⬜🔲◻]\ufe0f?[ \t]+(\S.*)", re.DOTALL)
#: A box right behind its bullet.
_CLOSE_BOX: Final = re.compile(r"(?:[-*+•]|\d{1,9}[.)])\[[ \t]{0,3}[xX~]?[ \t]{0,3}\][ \t]+(\S.*)", re.DOTALL)
_KEY: Final = re.compile(
    r"(?:\*\*|__)?(?:(?:task|step)[ \t]+)?(?:[A-Z]{1,6}-?\d{1,6}[a-z]?|\d{1,6}(?:\.\d{1,6}){1,4})"
    r"(?:\*\*|__)?[ \t]*(?::|[.)–—-][ \t]|[ \t]+(?=\[))(?:\*\*|__)?[ \t]*(\S.*)",
    re.DOTALL | re.IGNORECASE,
)
#: `T001 text`; a sentence about T001 is none.
_SPEC_KIT: Final = re.compile(
    r"(?:\*\*)?T\d{3,9}[a-z]?\b(?:\*\*)?:?[ \t]+"
    r"(?![→>(+,&–-]|(?:depends?|and|or|to|is|are|can|may|must|should|will|blocks?|blocked|follows?|precedes?|first|then|needs?|waits?|requires?|before|after|uses|runs?)\b)(\S.*)",
    re.DOTALL,
)
_TASK_HEADING: Final = re.compile(
    r"(?:\*\*)?[^\w*]{0,4}(?:(?:task|step|work package|to-?do|ticket)[ \t]*#?[ \t]*\d+(?:\.\d+)*"
    r"|(?:WP|T)\d{1,6}|[A-Z]{1,4}\d{1,4}(?=[ \t]*[:.–—-]))\b[^\n]*",
    re.IGNORECASE,
)
_SPOKEN: Final = re.compile(
    r"\*\*(?:task|step)[ \t]*#?\d+(?:\.\d+)*[ \t]*[:.–—-][^*\n]{0,200}\*\*:?", re.IGNORECASE
)
_PHASE: Final = re.compile(
    r"(?:\*\*)?(?:phase|stage|milestone|sprint|week|day|wave|batch|thread|iteration|month)[ \t]*#?[ \t]*"
    r"(?:\d|[A-Z]\b|[IVX]+\b).*",
    re.IGNORECASE | re.DOTALL,
)
#: A bullet that says something about the step or the group above it.
_LABEL: Final = re.compile(
    r"(?:\*\*|__|_)?(?:goals?|objectives?|files?(?: [a-z]+)?|owner|assignee|duration|estimated?(?: [a-z]+)?"
    r"|effort|deliverables?|dependenc(?:y|ies)|depends[ _-]?on|blocked[ _-]by|needs|requires"
    r"|waits[ _-]for|prerequisites?|predecessors?|after|blocks|risks?|notes?|status|state|priority|context"
    r"|scope|architecture|tech stack|background|acceptance(?: criteri(?:a|on))?|success criteria"
    r"|exit(?: criteria)?|done[ _-]when|definition of done|timeline|outcomes?|outputs?|inputs?|purpose|why"
    r"|what|how|tests?(?: [a-z]+)?|verif(?:y|ication)|validation|branch|date|author|version|create|modify"
    r"|edit|update|delete|paths?|location|agent|role|kind|reviewers?|triggers?|unlocks|approvals?|worktree|entry|tool|run|resources|parallel|requirements|hash|commit|labels?"
    r"|tags?|milestone|id|name|title|type|description|details|changes)(?:\*\*|__|_)?[ \t]*:",
    re.IGNORECASE,
)
#: Headings below which a list is text, with a word or two around: `Key risks`, `Notes on the data`.
_ASIDE: Final = re.compile(
    r"[\W\d_]*(?:(?:the|our|my|key|main|open|known|current|project|technical|important|general|path|file|high-level"
    r"|functional|non-functional|other|additional|more|overall|parallel|user story|phase|task|success"
    r"|acceptance|exit|completion|implementation|executive|testing|test|out of|in|incremental|within each)"
    r"[ \t]+){0,3}"
    r"(?:contexts?|backgrounds?|overview|summary|goals?|objectives?|references?|notes?|remarks?|risks?|scope"
    r"|non-?goals?|assumptions?|questions?|analysis|findings|discover(?:y|ies)|state|requirements?|strateg(?:y|ies)"
    r"|decisions?|examples?|format|legend|glossary|dependenc(?:y|ies)|about|verification|criteria|metrics"
    r"|appendix|motivation|approach|constraints?|principles?|conventions?|order|execution order"
    r"|prerequisites?|introduction|rationale|links|resources|alternatives|trade-?offs|considerations|benefits|limitations"
    r"|changelog|history|opportunities|stakeholders|user story|what we['’]?re not doing|definition of done"
    r"|files?|structure|architecture|tech stack|technology stack|design)"
    r"(?:[ \t]*(?:[:(&,/–—-]|and\b|of\b|on\b|for\b|to\b|with\b).*)?[\W_]*",
    re.IGNORECASE | re.DOTALL,
)
_RULE: Final = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*")
_TASK_CELLS: Final = frozenset(
    {"task", "tasks", "task name", "title", "action", "step", "todo", "to do", "work", "work item"}
    | {"summary", "user story", "story", "feature", "subject", "activity", "activities"}
)
_OTHER_CELLS: Final = frozenset(
    {"#", "id", "no", "no.", "nr", "key", "task id", "number", "depends on", "dependencies", "dependency"}
    | {"blocked by", "needs", "requires", "after", "owner", "assignee", "who", "status", "state", "done"}
    | {"issue", "ticket", "issue key", "issue id", "ref", "progress", "complete", "completed", "✅"}
    | {"phase", "stage", "sprint", "week", "day", "milestone", "epic", "component", "area", "module"}
    | {"estimate", "effort", "files", "file", "priority"}
)
_XML: Final = re.compile(r"<task\b[^<>\n]{0,300}>?", re.IGNORECASE)
_MATTER: Final = re.compile(r"(?:id|work_package_id):[ \t]*\S")
_LONGEST: Final = 4_000
_OPENS_MORE: Final = frozenset("|[>•*<-+0123456789☐☑⬜🔲◻")


def work_in_markdown(lines: Iterable[Line], *, every: bool = False) -> Iterator[WorkLine]:
    """The lines that look like work; front matter is left out of them before (`front_matters`).

    With `every`, each bullet that stands far left is one, whatever heading is above it.
    """
    finder = _Finder(every)
    blank, code, plain = LineKind.BLANK, LineKind.CODE, LineKind.TEXT
    for line in lines:
        kind = line.kind
        if kind is blank or kind is code or (kind is plain and _is_sentence(line.body)):
            finder.table = 0
        elif (found := finder.take(line)) is not None:
            yield found


def _is_sentence(text: str) -> bool:
    """Whether a line of text opens nothing and is no work, as its first and last character show."""
    return text[0] not in _OPENS_MORE and not text.endswith(":")


def front_matters(texts: list[str], first: int) -> tuple[set[int], list[WorkLine]]:
    """The lines of front matter, and each that makes its file one task: with an id and a title."""
    skipped: set[int] = set()
    tasks: list[WorkLine] = []
    start = -1
    for place, text in enumerate(texts):
        if text[:3] != "---" or text.rstrip() != "---":
            continue
        if start >= 0:
            skipped |= set(range(first + start, first + place + 1))
            inside = texts[start + 1 : place]
            title = next((row[6:].strip() for row in inside if row.startswith("title:")), "")
            listed = list(work_in_yaml(inside, first + 1)) if start == 0 else []
            tasks += listed if any(line.kind is WorkKind.TASK for line in listed) else ()
            if title and any(row.startswith("id:") for row in inside):
                tasks.append(WorkLine(first + start, WorkKind.TASK, title.strip("'\"")))
            start = -1
        elif place == 0 or _opens(texts, place):
            start = place
    return skipped, tasks


def _opens(texts: list[str], place: int) -> bool:
    following = next((text for text in texts[place + 1 : place + 4] if text.strip()), "")
    return bool(_MATTER.match(following))


class _Finder:
    """Takes the lines in order and knows what stands above each."""

    def __init__(self, every: bool) -> None:
        self.every = every
        self.under = ""
        #: The level of the heading below which everything is text; 0 when none is open.
        self.aside = 0
        #: How far the first bullet below the heading is indented; -1 before it.
        self.left = -1
        self.in_phase = False
        #: 0: in no table, 1: behind a line that may be a header, 2: behind the rule, in a table of tasks.
        self.table = 0

    def take(self, line: Line) -> WorkLine | None:
        body = line.body
        if line.kind is LineKind.HEADING:
            self.under, self.table, self.left = body.strip("* "), 0, -1
            if not self.aside or line.level <= self.aside:
                self.aside = line.level if _ASIDE.fullmatch(self.under[:200]) else 0
            self.in_phase = bool(_PHASE.match(self.under))
            return self._found(line, WorkKind.HEADING, body) if _TASK_HEADING.fullmatch(body) else None
        if body.startswith("|"):
            return self._row(line)
        self.table = 0
        if line.kind is LineKind.BULLET:
            return self._bullet(line)
        return self._text(line)

    def _found(self, line: Line, kind: WorkKind, text: str) -> WorkLine:
        return WorkLine(line.number, kind, text.strip(), self.under, aside=self.aside > 0)

    def _text(self, line: Line) -> WorkLine | None:
        body = line.body
        if body[0] in "[>•" and (box := _BOX.fullmatch(body[:_LONGEST])):
            return self._found(line, WorkKind.BOX, box[1])
        if box := _BALLOT.fullmatch(body[:_LONGEST]) or _CLOSE_BOX.fullmatch(body[:_LONGEST]):
            return self._found(line, WorkKind.BOX, box[1])
        if body.startswith("**"):
            if _SPOKEN.fullmatch(body):
                return self._found(line, WorkKind.HEADING, body)
            if line.indent == 0 and body.rstrip(":").endswith("**"):
                self.under, self.in_phase = body.strip("*: "), bool(_PHASE.match(body))
        elif body.startswith("<task") and _XML.match(body):
            return self._found(line, WorkKind.TASK, "")
        elif line.indent == 0 and body.endswith(":") and _PHASE.match(body):
            self.under, self.in_phase = body.rstrip(":"), True
        return None

    def _bullet(self, line: Line) -> WorkLine | None:
        body = line.body[:_LONGEST]
        self.left = line.indent if self.left < 0 else self.left
        box = _BOX.fullmatch(body) if "[" in body[:40] else _BALLOT.fullmatch(body)
        if box:
            return self._found(line, WorkKind.BOX, box[1])
        if line.raw.lstrip()[0].isdigit():
            return self._found(line, WorkKind.NUMBERED, body)
        if _KEY.fullmatch(body) or _SPEC_KIT.fullmatch(body):
            return self._found(line, WorkKind.KEYED, body)
        left = line.indent < 2 or (self.every and line.indent <= self.left)
        if (self.in_phase or self.every) and left and not _LABEL.match(body):
            return self._found(line, WorkKind.ITEM, body)
        return None

    def _row(self, line: Line) -> WorkLine | None:
        if self.table == 2:
            cells = [cell for cell in line.body.strip("|").split("|") if cell.strip()]
            return self._found(line, WorkKind.ROW, line.body) if len(cells) > 1 else None
        if self.table == 1 and _RULE.fullmatch(line.body[:_LONGEST]):
            self.table = 2
            return None
        names = {cell.strip(" *`").lower() for cell in line.body[:_LONGEST].strip("|").split("|")}
        self.table = 1 if names & _TASK_CELLS and names & _OTHER_CELLS else 3
        return None
