"""A text in Markdown as a tree of headings and list items, each with the lines that belong to it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Final

from orchestrator.core.plans.prose.words import (
    Heading,
    Meaning,
    bare,
    read_heading,
    split_name,
    split_state,
)
from orchestrator.core.plans.text.boxes import split_box
from orchestrator.core.plans.text.lines import Line, LineKind, made_once, scan

_NUMBER: Final = re.compile(r"\d{1,9}")
_BALLOTS: Final = "☐☑⬜🔲◻"
_OPENS_ITEM: Final = frozenset("-*+•[0123456789" + _BALLOTS)
#: The blank behind the mark may be missing in front of a box: `-[ ] title`.
_MARKER: Final = re.compile(
    r"(?:(?:[-*+•]|(\d{1,9})[.)])[ \t]+|(?:[-*+•]|\d{1,9}[.)])(?=\[[ \t]{0,3}[xX~]?[ \t]{0,3}\][ \t]))(.*)",
    re.DOTALL,
)
#: A line in bold, or with a colon at its end, that people write instead of a heading.
_SPOKEN: Final = re.compile(r"\*\*[^*]{1,200}\*\*:?(?:[ \t]*\([^()]{1,80}\))?|[A-Z][^.|`]{1,100}:", re.DOTALL)
_GROUP_LINE: Final = re.compile(r"[A-Z][A-Za-z ]{2,20}\d{1,4}[ \t]*[:–—-][^|`]{1,100}(?<![.!?])\Z")
_PSEUDO_LEVEL: Final = 7
#: Levels of nesting that are told apart; deeper ones count as the deepest.
DEEPEST: Final = 40


class Kind(Enum):
    ROOT = 0
    HEADING = 1
    ITEM = 2


@dataclass(slots=True)
class Node:
    """A heading or a list item. `line` to `last` are the lines of all of it, `lines` its own text.

    `level` is that of a heading, or the columns that an item is indented; `number` what an ordered list
    counts;
    `mark` what stands in the box, None when there is no box; `run` tells lists apart that text divides.
    """

    kind: Kind
    line: int
    level: int
    text: str
    last: int
    heading: Heading | None = None
    mark: str | None = None
    number: str = ""
    run: int = 0
    lines: list[Line] = field(default_factory=list)
    headings: "list[Node]" = field(default_factory=list)
    items: "list[Node]" = field(default_factory=list)

    @property
    def role(self) -> Meaning:
        return self.heading.role if self.heading else Meaning.OTHER

    def below(self) -> "Iterator[Node]":
        """All headings below it, in the order of the text."""
        for child in self.headings:
            yield child
            yield from child.below()

    def all_items(self) -> "Iterator[Node]":
        """All items of the node itself, at any depth."""
        for item in self.items:
            yield item
            yield from item.all_items()


@dataclass(slots=True)
class Outline:
    """`texts` are the lines of the source, so that line 1 is `texts[0]`; `open_fence` as `scan` says."""

    root: Node
    texts: list[str]
    code: frozenset[int]
    open_fence: int


def outline_of(texts: list[str], skipped: int = 0, *, open_markdown: bool = False) -> Outline:
    """The tree of a text whose first `skipped` lines are front matter."""
    lines, open_fence, _ = scan(texts[skipped:], skipped + 1, open_markdown=open_markdown)
    root, code = made_once(lines, "outline", lambda: (_Grower(skipped).grow(lines), _code_in(lines)))
    return Outline(root, texts, code, open_fence)


def _code_in(lines: tuple[Line, ...]) -> frozenset[int]:
    return frozenset(line.number for line in lines if line.kind is LineKind.CODE)


class _Grower:
    def __init__(self, skipped: int = 0) -> None:
        self.root = Node(Kind.ROOT, skipped, 0, "", 0)
        self.headings = [self.root]
        self.items: list[Node] = []
        self.run = 0
        self.after_blank = True
        self.openings: frozenset[int] = frozenset()
        #: The last line that was taken: where a node ends that is closed now.
        self.reached = skipped

    def grow(self, lines: tuple[Line, ...]) -> Node:
        blank, code = LineKind.BLANK, LineKind.CODE
        self.openings = _openings(lines)
        for line in lines:
            kind = line.kind
            if kind is blank:
                self.after_blank = True
                continue
            if kind is code:
                self._text(line)
            else:
                self._take(line)
            self.after_blank = False
            self.reached = line.number
        self._close(self.items, 0)
        self._close(self.headings, 0)
        return self.root

    def _close(self, nodes: list[Node], kept: int) -> None:
        """Close the innermost nodes until so many are kept."""
        while len(nodes) > kept:
            nodes.pop().last = self.reached

    def _take(self, line: Line) -> None:
        if line.kind is LineKind.HEADING:
            self._heading(line, line.level, line.body)
        elif (item := _item_of(line)) is not None:
            self._item(item)
        elif (
            line.kind is LineKind.TEXT
            and line.indent == 0
            and (line.number in self.openings or _is_spoken_heading(line.body))
        ):
            self._heading(line, _PSEUDO_LEVEL, line.body)
        else:
            self._text(line)

    def _heading(self, line: Line, level: int, text: str) -> None:
        self._close(self.items, 0)
        kept = len(self.headings)
        while kept > 1 and self.headings[kept - 1].level >= level:
            kept -= 1
        self._close(self.headings, kept)
        node = Node(Kind.HEADING, line.number, level, text, line.number, read_heading(text))
        self.headings[-1].headings.append(node)
        self.headings.append(node)
        self.run += 1

    def _item(self, item: Node) -> None:
        self._close_items(item.level)
        self._close(self.items, DEEPEST - 1)
        item.run = self.run
        holder = self.items[-1] if self.items else self.headings[-1]
        before = holder.items[-1] if holder.items else None
        if before is not None and (_is_numbered_below(item, before) or _is_bullet_below(item, before)):
            self.items.append(before)
            holder = before
        holder.items.append(item)
        self.items.append(item)

    def _close_items(self, indent: int) -> None:
        """Close the items that what stands so far to the right is not below of."""
        while self.items and indent <= self.items[-1].level:
            self.items.pop().last = self.reached

    def _text(self, line: Line) -> None:
        """Text belongs to the item above it when it is indented, or follows without a blank line between."""
        if line.kind is not LineKind.CODE and self.after_blank:
            self._close_items(line.indent)
        elif line.body.startswith("|") and self.items and line.indent <= self.items[-1].level:
            self._close(self.items, 0)
        if not self.items:
            self.run += 1
        (self.items[-1] if self.items else self.headings[-1]).lines.append(line)


def _is_numbered_below(item: Node, before: Node) -> bool:
    """`- [ ] 2.1` that stands as far left as the `- [ ] 2.` above it."""
    if item.mark is None or before.mark is None or item.run != before.run or "." not in item.text:
        return False
    name = split_name(bare(item.text))[0]
    return "." in name and name.rsplit(".", 1)[0] == split_name(bare(before.text))[0]


def _is_bullet_below(item: Node, before: Node) -> bool:
    """`- install` that stands as far left as the `1. Setup` above it: it says something about that."""
    plain = not item.number and item.mark is None
    return plain and bool(before.number) and item.run == before.run and item.level == before.level


def _openings(lines: tuple[Line, ...]) -> frozenset[int]:
    """The lines `Week 2: Finish` with a list right below them."""
    openings = set()
    for line, following in pairwise(line for line in lines if line.kind is not LineKind.BLANK):
        plain = line.kind is LineKind.TEXT and line.indent == 0 and _GROUP_LINE.match(line.body)
        if plain and following.kind is LineKind.BULLET and read_heading(line.body).role is Meaning.GROUP:
            openings.add(line.number)
    return frozenset(openings)


def _is_spoken_heading(text: str) -> bool:
    """`**Task 1: Reader**` or `Week 1:` on a line of its own."""
    return bool(_SPOKEN.fullmatch(text)) and read_heading(text).noun != ""


def _item_of(line: Line) -> Node | None:
    """The item that a line opens; a line that starts with a box is one without a bullet, too."""
    body, number, is_bullet = line.body, "", line.kind is LineKind.BULLET
    if is_bullet:
        counted = _NUMBER.match(line.raw.lstrip()[:10])
        number = counted[0] if counted else ""
    elif body[:1] not in _OPENS_ITEM:
        return None
    elif found := _MARKER.fullmatch(body):
        is_bullet, number, body = True, found[1] or "", found[2].strip()
    mark: str | None = None
    while body.startswith("[") and (box := split_box(body)):
        mark, body = box[0] or mark or "", box[1].removeprefix("- ").removeprefix("* ")
    ballot = mark is None and body.startswith(tuple(_BALLOTS))
    if not is_bullet and mark is None and not ballot:
        return None
    state, body_without = split_state(body)
    if ballot or (state and (not mark or mark == state)):
        mark, body = state, body_without
    behind = _box_behind(body) if mark is None and "[" in body else None
    if behind:
        mark, body = behind
    if not mark and body.startswith("~~") and body.endswith("~~") and body.count("~~") == 2:
        mark = "-"
    return Node(Kind.ITEM, line.number, line.indent, body, line.number, mark=mark, number=number)


_BEHIND: Final = re.compile(r"((?:T|WP)?\d{1,6}(?:\.\d{1,6}){0,4}[.):]?)[ \t]+(?=\[)")


def _box_behind(text: str) -> tuple[str, str] | None:
    """`1.2 [x] title` -> (`x`, `1.2 title`)."""
    name = _BEHIND.match(text)
    box = split_box(text[name.end() :]) if name else None
    return (box[0], f"{name[1]} {box[1]}") if name and box else None
