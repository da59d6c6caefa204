"""A Markdown source as lines that know what they are: headings, bullets, code and text (BX-8).

Only what plans use is recognised: ATX headings, bullets, fenced code and HTML comments. Headings and bullets
inside fences and comments are code. The work is linear in the length of the source.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import cached_property
from typing import Final, NamedTuple, TypeVar, cast

T = TypeVar("T")

TAB_WIDTH: Final = 4
_FENCE: Final = re.compile(r"(`{3,}|~{3,})(.*)", re.DOTALL)
_HEADING: Final = re.compile(r"(#{1,6})(?:[ \t](.*))?", re.DOTALL)
_BULLET: Final = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?:[ \t](.*))?", re.DOTALL)
_OPENS_INNER: Final = re.compile(r"(?:`{3,}|~{3,})[ \t]*[A-Za-z][\w+-]{0,30}")
#: What a line starts with that may be more than text.
_SPECIAL: Final = frozenset("`~<#-*+0123456789")
_OPENS_BULLET: Final = frozenset("-*+0123456789")
_SCANS_KEPT: Final = 2
_MADE_KEPT: Final = 6
_MARKDOWN: Final = frozenset({"markdown", "md"})


class LineKind(IntEnum):
    BLANK = 0
    HEADING = 1
    BULLET = 2
    TEXT = 3
    CODE = 4


class Line(NamedTuple):
    """One line.

    `number` counts from 1, `indent` in columns, `level` of a heading, `body` without its marker.
    """

    number: int
    kind: LineKind
    indent: int
    level: int
    body: str
    raw: str


class Scan(NamedTuple):
    """The lines, the line of a fence left open (0: none), and whether a Markdown code block was seen."""

    lines: tuple[Line, ...]
    open_fence: int
    has_markdown_block: bool


def split_lines(source: str) -> list[str]:
    """Lines as an editor counts them: LF, CR LF and CR end a line, nothing else does."""
    return _MEMORY.lines(source) if _MEMORY.depth else _split(source)


def _split(source: str) -> list[str]:
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def scan(texts: list[str], first: int = 1, *, open_markdown: bool = False) -> Scan:
    """Classify lines, numbered from `first`; with `open_markdown` Markdown code blocks count as text."""
    return _MEMORY.scan(texts, first, open_markdown) if _MEMORY.depth else _scan(texts, first, open_markdown)


def _scan(texts: list[str], first: int, open_markdown: bool) -> Scan:
    scanner = _Scanner(texts, first, open_markdown=open_markdown, may_nest=True)
    lines = scanner.lines()
    if scanner.fence_line and scanner.has_markdown_block:
        # Blocks that do not come out even are read as they stand: the first fence closes the block.
        scanner = _Scanner(texts, first, open_markdown=open_markdown, may_nest=False)
        lines = scanner.lines()
    return Scan(lines, scanner.fence_line, scanner.has_markdown_block)


class _Memory(threading.local):
    """What one reading knows of the lines of its source, so that its parts do not scan them anew."""

    depth = 0

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._source: str | None = None
        self._texts: list[str] = []
        self._scans: list[tuple[list[str], int, bool, Scan]] = []
        self._made: list[tuple[object, object, object]] = []

    def lines(self, source: str) -> list[str]:
        if source != self._source:
            self._source, self._texts = source, _split(source)
        return self._texts[:]

    def scan(self, texts: list[str], first: int, open_markdown: bool) -> Scan:
        for known, number, opened, result in self._scans:
            if number == first and opened is open_markdown and known == texts:
                return result
        result = _scan(texts, first, open_markdown)
        self._scans = [*self._scans[-_SCANS_KEPT + 1 :], (texts[:], first, open_markdown, result)]
        return result

    def made(self, lines: tuple[Line, ...], what: object, make: Callable[[], T]) -> T:
        for known, name, result in self._made:
            if known is lines and name == what:
                return cast(T, result)
        made = make()
        self._made = [*self._made[-_MADE_KEPT + 1 :], (lines, what, made)]
        return made


_MEMORY: Final = _Memory()


def made_once(lines: tuple[Line, ...], what: object, make: Callable[[], T]) -> T:
    """What is made of scanned lines, and never changed: each thing once in a reading, `what` names it."""
    return _MEMORY.made(lines, what, make) if _MEMORY.depth else make()


@contextmanager
def remembered_lines() -> Iterator[None]:
    """Inside, the lines of a source are split and classified once, however many ask; then it is forgotten."""
    _MEMORY.depth += 1
    try:
        yield
    finally:
        _MEMORY.depth -= 1
        if not _MEMORY.depth:
            _MEMORY.forget()


def open_comment(source: str) -> int:
    """The line of a comment that is never closed; 0 when there is none."""
    if source.rfind("<!--") <= source.rfind("-->"):
        return 0
    texts = split_lines(source)
    scanner = _Scanner(texts, 1, open_markdown=False, may_nest=True)
    for number, text in enumerate(texts, 1):
        opens = not (scanner.fence or scanner.comment) and text.lstrip().startswith("<!--")
        scanner.line(number, text)
        if opens and number > scanner.last_end:
            return number
    return 0


def without_code(source: str) -> str:
    """The text without the lines that `scan` takes for code."""
    if not any(mark in source for mark in ("```", "~~~", "<!--")):
        return source
    texts = split_lines(source)
    lines = scan(texts).lines
    code = LineKind.CODE
    return "\n".join([text for text, line in zip(texts, lines, strict=True) if line[1] is not code])


class _Scanner:
    def __init__(self, texts: list[str], first: int, *, open_markdown: bool, may_nest: bool) -> None:
        self.texts, self.first = texts, first
        self.open_markdown = open_markdown
        self.has_markdown_block = False
        self.fence = ""
        self.fence_line = 0
        self.transparent = False
        self.comment = False
        self.inner = 0
        self.nests, self.may_nest = False, may_nest

    @cached_property
    def last_end(self) -> int:
        """The last line that ends a comment."""
        ends = (number for number, text in enumerate(self.texts, self.first) if "-->" in text)
        return max(ends, default=0)

    def lines(self) -> tuple[Line, ...]:
        """All lines; most are plain text, and those are made here because a call for each is slow."""
        lines: list[Line] = []
        new, special = tuple.__new__, _SPECIAL
        for number, raw in enumerate(self.texts, self.first):
            text = raw.strip()
            if not text:
                lines.append(new(Line, (number, LineKind.BLANK, 0, 0, "", "")))
            elif self.fence or self.comment or text[0] in special:
                lines.append(self.line(number, raw))
            else:
                indent = 0 if raw[0] == text[0] else _indent(raw)
                lines.append(new(Line, (number, LineKind.TEXT, indent, 0, text, raw)))
        return tuple(lines)

    def line(self, number: int, raw: str) -> Line:
        text = raw.strip()
        if not text:
            return Line(number, LineKind.BLANK, 0, 0, "", "")
        indent = 0 if raw[0] == text[0] else _indent(raw)
        start = text[0]
        if self.fence:
            if start != self.fence[0] and not self.transparent:
                return Line(number, LineKind.CODE, indent, 0, text, raw)
            return self._inside(number, indent, text, raw)
        if self.comment or (start == "<" and text.startswith("<!--")):
            # A comment that is never closed is one line, so that nothing behind it is lost.
            self.comment = "-->" not in text and number < self.last_end
            return Line(number, LineKind.CODE, indent, 0, text, raw)
        opening = _FENCE.fullmatch(text) if start in "`~" else None
        if opening and not (opening[1][0] == "`" and "`" in opening[2]):
            self._open(number, opening[1], opening[2])
            if self.transparent:
                return Line(number, LineKind.BLANK, 0, 0, "", "")
            return Line(number, LineKind.CODE, indent, 0, text, raw)
        return _plain(number, indent, text, raw)

    def _open(self, number: int, fence: str, info: str) -> None:
        markdown = info.strip().split(" ", 1)[0].lower() in _MARKDOWN
        self.has_markdown_block = self.has_markdown_block or markdown
        self.fence, self.fence_line = fence, number
        self.transparent = markdown and self.open_markdown
        self.nests, self.inner = markdown and not self.transparent and self.may_nest, 0

    def _inside(self, number: int, indent: int, text: str, raw: str) -> Line:
        """A line of a code block; a block in a Markdown block ends before the block around it does."""
        if self.nests and _OPENS_INNER.fullmatch(text) and text[0] == self.fence[0]:
            self.inner += 1
        elif self.inner and text[0] == self.fence[0] and not text.strip(self.fence[0]) and len(text) >= 3:
            self.inner -= 1
            return Line(number, LineKind.CODE, indent, 0, text, raw)
        if text[0] == self.fence[0] and len(text) >= len(self.fence) and not text.strip(self.fence[0]):
            closed, self.fence, self.fence_line, self.transparent = self.transparent, "", 0, False
            if closed:
                return Line(number, LineKind.BLANK, 0, 0, "", "")
        elif self.transparent:
            return _plain(number, indent, text, raw)
        return Line(number, LineKind.CODE, indent, 0, text, raw)


def _plain(number: int, indent: int, text: str, raw: str) -> Line:
    start = text[0]
    if start == "#":
        heading = _HEADING.fullmatch(text) if indent < TAB_WIDTH else None
        if heading:
            title = (heading[2] or "").strip().rstrip("#").strip()
            return Line(number, LineKind.HEADING, indent, len(heading[1]), title, raw)
    elif start in _OPENS_BULLET:
        bullet = _BULLET.fullmatch(text)
        if bullet and bullet[1]:
            return Line(number, LineKind.BULLET, indent, 0, bullet[1].strip(), raw)
    return Line(number, LineKind.TEXT, indent, 0, text, raw)


def _indent(raw: str) -> int:
    blank = raw[: len(raw) - len(raw.lstrip())]
    return len(blank.expandtabs(TAB_WIDTH)) if "\t" in blank else len(blank)
