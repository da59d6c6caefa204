"""What stands below a step in prose: files, criteria, dependencies and the text that is none of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from orchestrator.core.plans.prose.outline import Kind, Node, Outline
from orchestrator.core.plans.prose.references import PROPERTY, said_in, says_none
from orchestrator.core.plans.prose.words import bare, is_criteria
from orchestrator.core.plans.text.paths import file_in
from orchestrator.core.plans.text.phrases import read_minutes

_LABELLED: Final = re.compile(
    r"(?:[-*+•][ \t]+)?(?:\[[ xX]?\][ \t]+)?(?:\*\*|__|_)?(?P<name>[A-Za-z][A-Za-z _/-]{0,30}?)(?:\*\*"
    r"|__)?[ \t]*:(?:\*\*|__)?[ \t]*(?P<value>.*)",
    re.DOTALL,
)
_BULLET: Final = re.compile(r"(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]?\][ \t]+)?(.*)", re.DOTALL)
_OPENS_BULLET: Final = frozenset("-*+•0123456789")
_TICKED: Final = re.compile(r"`([^`\n]{1,200})`")
_HEADING: Final = re.compile(r"#{1,6}[ \t]+(.*)")
_FILES: Final = re.compile(
    r"(?:files?|paths?|file paths?|location)(?: (?:to )?(?:modify|create|change|edit|touch|changed"
    r"|touched|affected|modified|created))?"
    r"|create|creates|modify|modifies|edit|edits|tests?|test files?|new files?|delete|update"
    r"|files_modified|target files?",
    re.IGNORECASE,
)
_CRITERION: Final = re.compile(
    r"acceptance|acceptance criteri(?:a|on)|done when|exit|exit criteria|success criteria|verify"
    r"|verification|completion signals?"
    r"|definition of done|validation",
    re.IGNORECASE,
)
_ESTIMATE: Final = re.compile(
    r"estimates?|estimated (?:time|effort|duration)|effort|duration|time", re.IGNORECASE
)
_OWNER: Final = re.compile(r"owner|assignee|assigned(?: to)?|responsible|agent", re.IGNORECASE)
_STATUS: Final = re.compile(r"status|state", re.IGNORECASE)
LONGEST_CRITERION: Final = 500
MOST_CRITERIA: Final = 200


@dataclass(slots=True)
class Parts:
    """What was read below one step. `waits` are texts that name dependencies, with their lines.

    `independent` says that the text states that nothing is waited for.
    """

    details: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    waits: list[tuple[str, int, bool]] = field(default_factory=list)
    independent: bool = False
    estimate: str = ""
    owner: str = ""
    status: str = ""
    title: list[str] = field(default_factory=list)


def parts_of(outline: Outline, node: Node, first: int, last: int) -> Parts:
    """Read the lines `first` to `last` (1-based) below a step."""
    taker = _Taker(node.kind is Kind.ITEM)
    if first <= last:
        taker.take_all(outline.texts[first - 1 : last], first, outline.code)
    return taker.parts


def parts_of_lines(lines: Iterable[tuple[int, str, bool]], *, wraps: bool) -> Parts:
    """Read lines with their numbers and whether each is code; with `wraps` the first continue the title."""
    taker = _Taker(wraps)
    for number, raw, is_code in lines:
        taker.take_all([raw], number, frozenset({number} if is_code else ()))
    return taker.parts


class _Taker:
    def __init__(self, wraps: bool) -> None:
        self.parts = Parts()
        #: What the label above says that the lines below it are: `files`, `exits`, `waits` or nothing.
        self.below, self.below_indent = "", 0
        self.wraps = wraps

    def take_all(self, lines: list[str], first: int, code: frozenset[int]) -> None:
        """Read lines that are numbered from `first`; `code` has the numbers of those that are code."""
        details = self.parts.details
        for number, raw in enumerate(lines, first):
            if number in code:
                self.wraps, self.below = False, ""
                details.append(raw)
            elif text := raw.strip():
                self._line(number, raw, text)
            else:
                self.wraps = False
                details.append("")

    def _line(self, number: int, raw: str, text: str) -> None:
        heading = _HEADING.fullmatch(text) if text[0] == "#" else None
        if heading:
            self.wraps = False
            self.below = _label_kind(bare(heading[1]), heading=True)
            self.below_indent = -1
            self.parts.details.append(raw)
            return
        label = _LABELLED.fullmatch(text) if ":" in text else None
        kind = _label_kind(label["name"].strip()) if label else ""
        if label and kind:
            self.wraps = False
            self._labelled(kind, label["value"].strip().strip("*_ "), number, raw)
            return
        bullet = _BULLET.fullmatch(text) if text[0] in _OPENS_BULLET else None
        if self.wraps and not bullet and not text.startswith(("|", ">", "_", "**")):
            self.parts.title.append(text)
            return
        self.wraps = False
        if self.below and _indent(raw) > self.below_indent and bullet:
            self._value(self.below, bullet[1].strip(), number, raw)
            return
        if not bullet:
            self.below = "" if self.below_indent >= 0 and _indent(raw) <= self.below_indent else self.below
        self._text(number, raw, text)

    def _labelled(self, kind: str, value: str, number: int, raw: str) -> None:
        self.below, self.below_indent = "", 0
        if not value:
            # Bullets below `**Files:**` may stand as far left as the label itself.
            self.below, self.below_indent = kind, _indent(raw) - (not _BULLET.fullmatch(raw.strip()))
            self.parts.details.append(raw)
            return
        self._value(kind, value, number, raw)

    def _value(self, kind: str, value: str, number: int, raw: str) -> None:
        parts = self.parts
        if kind == "files":
            own = _LABELLED.fullmatch(value)
            parts.files += [
                path for path in paths_in(own["value"] if own else value) if path not in parts.files
            ]
            parts.details.append(raw)
        elif kind == "exits" and len(parts.exits) < MOST_CRITERIA:
            criterion = " ".join(value.replace("**", "").split())
            parts.exits.append(criterion[:LONGEST_CRITERION])
            parts.details += [raw] if len(criterion) > LONGEST_CRITERION else []
        elif kind == "waits":
            self._wait(value, number, raw)
        elif kind == "estimate" and read_minutes(value) is not None:
            parts.estimate = value
        elif kind == "owner" and value and len(value) < 60:
            parts.owner = value.lstrip("@").strip("`")
        elif kind == "status":
            parts.status = value.strip("`")
        else:
            parts.details.append(raw)

    def _wait(self, value: str, number: int, raw: str) -> None:
        if says_none(value):
            self.parts.independent = True
            self.parts.details.append(raw)
        else:
            self.parts.waits.append((value, number, False))

    def _text(self, number: int, raw: str, text: str) -> None:
        self.parts.details.append(raw)
        said = said_in(text)
        for value in said[1] if said else ():
            if says_none(value):
                self.parts.independent = True
            else:
                self.parts.waits.append((value, number, True))


@lru_cache(maxsize=512)
def _label_kind(name: str, *, heading: bool = False) -> str:
    kinds = (("files", _FILES), ("waits", PROPERTY), ("exits", _CRITERION), ("estimate", _ESTIMATE))
    for kind, pattern in (*kinds, ("owner", _OWNER), ("status", _STATUS)):
        if pattern.fullmatch(name.rstrip(":").strip()):
            return kind
    return "exits" if heading and is_criteria(name) else ""


def paths_in(value: str) -> list[str]:
    """The paths in a list of files: what stands in backticks, and alone between commas, or else the words."""
    ticked = _TICKED.findall(value)
    if ticked:
        words = [part.strip(" `") for part in re.split(r"[,;]|`[^`\n]*`", value[:2_000])]
        words = [*ticked, *(word for word in words if word and " " not in word)]
    else:
        words = re.split(r"[,\s]+", value[:2_000])
    return [path for word in words if (path := file_in(word))]


def _indent(raw: str) -> int:
    return len(raw) - len(raw.lstrip())
