"""A Markdown source as lines that know what they are: headings, bullets, code and text (BX-8).

Only what plans use is recognised: ATX headings, bullets, fenced code and HTML comments. Headings and bullets
inside fences and comments are code. The work is linear in the length of the source.
"""

import re
from enum import IntEnum
from typing import Final, NamedTuple

TAB_WIDTH: Final = 4
_FENCE: Final = re.compile(r"(`{3,}|~{3,})(.*)", re.DOTALL)
_HEADING: Final = re.compile(r"(#{1,6})(?:[ \t](.*))?", re.DOTALL)
_BULLET: Final = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?:[ \t](.*))?", re.DOTALL)
_OPENS_INNER: Final = re.compile(r"(?:`{3,}|~{3,})[ \t]*[A-Za-z][\w+-]{0,30}")
_OPENS_CODE: Final = frozenset("`~<")
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
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def scan(texts: list[str], first: int = 1, *, open_markdown: bool = False) -> Scan:
    """Classify lines, numbered from `first`; with `open_markdown` Markdown code blocks count as text."""
    ends = [number for number, text in enumerate(texts, first) if "-->" in text]
    scanner = _Scanner(open_markdown, ends[-1] if ends else 0, may_nest=True)
    lines = tuple(scanner.line(number, text) for number, text in enumerate(texts, first))
    if scanner.fence_line and scanner.has_markdown_block:
        # Blocks that do not come out even are read as they stand: the first fence closes the block.
        scanner = _Scanner(open_markdown, ends[-1] if ends else 0, may_nest=False)
        lines = tuple(scanner.line(number, text) for number, text in enumerate(texts, first))
    return Scan(lines, scanner.fence_line, scanner.has_markdown_block)


def open_comment(source: str) -> int:
    """The line of a comment that is never closed; 0 when there is none."""
    if source.rfind("<!--") <= source.rfind("-->"):
        return 0
    texts = split_lines(source)
    last_end = max((number for number, text in enumerate(texts, 1) if "-->" in text), default=0)
    scanner = _Scanner(open_markdown=False, last_end=last_end, may_nest=True)
    for number, text in enumerate(texts, 1):
        opens = not (scanner.fence or scanner.comment) and text.lstrip().startswith("<!--")
        scanner.line(number, text)
        if opens and number > last_end:
            return number
    return 0


def without_code(source: str) -> str:
    """The text without the lines that `scan` takes for code, as fast as the little code in it allows."""
    if not any(mark in source for mark in ("```", "~~~", "<!--")):
        return source
    texts = split_lines(source)
    kept, is_even = _outside_code(texts, may_nest=True)
    # Blocks in Markdown blocks that do not come out even are read as they stand, as `scan` does.
    return "\n".join(kept if is_even else _outside_code(texts, may_nest=False)[0])


def _outside_code(texts: list[str], *, may_nest: bool) -> tuple[list[str], bool]:
    """The lines that are no code, and whether blocks in Markdown blocks come out even."""
    last_end = max((number for number, text in enumerate(texts, 1) if "-->" in text), default=0)
    scanner = _Scanner(open_markdown=False, last_end=last_end, may_nest=may_nest)
    kept = []
    for number, text in enumerate(texts, 1):
        opens = scanner.fence or scanner.comment or text.lstrip()[:1] in _OPENS_CODE
        if not opens or scanner.line(number, text).kind is not LineKind.CODE:
            kept.append(text)
    return kept, not (scanner.fence_line and scanner.has_markdown_block)


class _Scanner:
    def __init__(self, open_markdown: bool, last_end: int, *, may_nest: bool) -> None:
        self.open_markdown = open_markdown
        self.has_markdown_block = False
        self.fence = ""
        self.fence_line = 0
        self.transparent = False
        self.comment = False
        self.last_end = last_end
        self.inner = 0
        self.nests, self.may_nest = False, may_nest

    def line(self, number: int, raw: str) -> Line:
        text = raw.strip()
        if not text:
            return Line(number, LineKind.BLANK, 0, 0, "", "")
        indent = _indent(raw)
        if self.fence:
            if text[0] != self.fence[0] and not self.transparent:
                return Line(number, LineKind.CODE, indent, 0, text, raw)
            return self._inside(number, indent, text, raw)
        if self.comment or text.startswith("<!--"):
            # A comment that is never closed is one line, so that nothing behind it is lost.
            self.comment = "-->" not in text and number < self.last_end
            return Line(number, LineKind.CODE, indent, 0, text, raw)
        opening = _FENCE.fullmatch(text) if text[0] in "`~" else None
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
    heading = _HEADING.fullmatch(text) if text[0] == "#" and indent < TAB_WIDTH else None
    if heading:
        title = (heading[2] or "").strip().rstrip("#").strip()
        return Line(number, LineKind.HEADING, indent, len(heading[1]), title, raw)
    bullet = _BULLET.fullmatch(text) if text[0] in "-*+0123456789" else None
    if bullet and bullet[1]:
        return Line(number, LineKind.BULLET, indent, 0, bullet[1].strip(), raw)
    return Line(number, LineKind.TEXT, indent, 0, text, raw)


def _indent(raw: str) -> int:
    blank = raw[: len(raw) - len(raw.lstrip())]
    return len(blank.expandtabs(TAB_WIDTH)) if "\t" in blank else len(blank)
