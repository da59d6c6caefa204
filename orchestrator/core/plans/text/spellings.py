"""Other ways to write what Markdown has marks for, line for line: headings that are underlined, numbers of
other scripts, signs and words in front of a line instead of boxes.

Readers of other tools' plans and the account of a reading both take a text as it is written here.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from string import ascii_letters
from typing import Final

from orchestrator.core.plans.text.lines import Line, LineKind, made_once, scan, split_lines

#: One of these stands in a text in which anything is written otherwise.
_NUMBERS: Final = ("II", "1.1 ", "1.1\t", "(2)", "#2 ")
_HINTS: Final = ("\n---", "\n===", "\n ---", "TODO", "DONE", "<input", "\n>", *_NUMBERS)
_COUNTS: Final = re.compile(r"(?mi)^(?:step|task|phase|stage|sprint|milestone|day|week|month)[ \t]*#?\d")
_UNDERLINE: Final = re.compile(r"={2,}|-{3,}")
_KEYCAP: Final = re.compile(
    r"((?:(?:[-*+]|#{1,6})[ \t]+)?(?:\*\*)?)((?:[0-9]\ufe0f?\u20e3)+|🔟)\ufe0f?"
    r"[ \t]*[.:)–—-]?[ \t]*(?=\S)"
)
_DIGITS: Final = re.compile(r"(\d{1,4})([.)]|[．）、])[ \t\u3000]*(?=\S)")
#: ☐ ☑ ⬜ 🔲 ◻ are read as they stand.
_SIGN: Final = re.compile(
    r"((?:(?:[-*+•]|\d{1,9}[.)])[ \t]+)?)(?:([✅✓✔☒])|([🔄🚧⏳◐])|([▢□◽])|[☐☑⬜🔲◻])\ufe0f?[ \t]+(?=\S)"
)
_SIGNS: Final = frozenset("✅✓✔☒🔄🚧⏳◐▢□◽☐☑⬜🔲◻")
_INPUT: Final = re.compile(
    r"((?:(?:[-*+•]|\d{1,9}[.)])[ \t]+)?)<input\b(?=[^<>]{0,200}\btype=[\"']?checkbox\b)([^<>]{0,200})>"
    r"[ \t]*(?=\S)",
    re.IGNORECASE,
)
_BEGUN: Final = "DOING|STARTED|WIP|IN PROGRESS"
_ENDED: Final = "DONE|FIXED"
_DROPPED: Final = "CANCELLED|CANCELED|WONTFIX"
#: Emacs' org mode, in which stars are levels.
_ORG: Final = re.compile(
    rf"(\*{{1,8}})[ \t]+(?:TODO|NEXT|({_BEGUN})|({_ENDED})|({_DROPPED}))(?::|[ \t])[ \t]*(?=\S)"
)
_WORD: Final = re.compile(
    rf"((?:[-*+•]|\d{{1,9}}[.)])[ \t]+)(?:TODO:|({_BEGUN}):?|({_ENDED}):?|({_DROPPED}):?)[ \t]+(?=\S)"
)
_PLAIN_NUMBER: Final = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,4})[ \t]+(?=[^\d\s])")
_ROMAN: Final = re.compile(r"([IVX]{1,5})[.)][ \t]+(?=\S)")
_ROMANS: Final = (
    "I",
    "II",
    "III",
    "IV",
    "V",
    "VI",
    "VII",
    "VIII",
    "IX",
    "X",
    "XI",
    "XII",
    "XIII",
    "XIV",
    "XV",
)
_VALUE: Final = re.compile(r"[\w -]{1,40}:(?:[ \t]|\Z)")
_LONGEST: Final = 120

_QUOTED: Final = re.compile(r">[ \t]*(?:[-*+]|\d{1,4}[.)])[ \t]+\S")
#: Signs of a list where Markdown has hyphens.
_DASHES: Final = frozenset("–—‣▪▫◦●○→➡▶►»👉🔹🔸📌")
_DASH: Final = re.compile(r".\ufe0f?[ \t]+(?=\S)")
_PARENTHESES: Final = re.compile(r"(?:\((?=\d+\))|#)(\d{1,3})\)?[ \t]+(?=\S)")
_SPOKEN: Final = re.compile(
    r"(?P<noun>step|task|phase|stage|sprint|milestone|day|week|month)[ \t]*#?(?P<number>\d{1,3})"
    r"(?:[ \t]*[-–][ \t]*\d{1,3})?[ \t]*(?::|[.)]|[–—-])[ \t]+[^|`]{2,100}(?<![.!?])\Z",
    re.IGNORECASE,
)

_LETTERS: Final = frozenset(ascii_letters)

Changes = Iterator[tuple[int, str]]


def plain_marks(text: str) -> str:
    """The text with usual Markdown for these; it keeps its lines."""
    start = text.lstrip("\ufeff \t\r\n")[:6]
    if start[:1] in ("{", "[") or (start[:1] == "<" and start != "<input"):
        return text
    if text.isascii() and not (any(hint in text for hint in _HINTS) or _COUNTS.search(text)):
        return text
    texts = split_lines(text)
    lines = scan(texts).lines
    changed = made_once(lines, "spellings", lambda: dict(_changed(text, lines)))
    if not changed:
        return text
    return "\n".join([changed.get(number, own) for number, own in enumerate(texts, 1)])


def _changed(text: str, lines: Sequence[Line]) -> Changes:
    """The lines that are written otherwise; each kind is looked for where the text may have it."""
    plain = text.isascii()
    opens = "*<" if "<input" in text else "*"
    blank, code, sentence = LineKind.BLANK, LineKind.CODE, LineKind.TEXT
    shown = [line for line in lines if line.kind is not blank and line.kind is not code]
    for line in shown:
        first = line.body[:1]
        if line.kind is sentence and first not in opens and (plain or first in _LETTERS):
            continue
        own = line.raw.lstrip()
        if new := _line(own.rstrip()):
            yield line.number, line.raw[: len(line.raw) - len(own)] + new
    if ">" in text:
        yield from _unquoted(shown)
    if not plain:
        yield from _signs(shown)
        yield from _dashed(shown)
    if any(hint in text for hint in _NUMBERS):
        yield from _counted(shown)
    if _COUNTS.search(text):
        yield from _spoken(shown)
    yield from _headings(lines)


def _line(text: str) -> str:
    """One line in usual Markdown; empty when it is that already."""
    if "<input" in text and (found := _INPUT.match(text)):
        mark = "x" if "checked" in found[2].lower() else " "
        return f"{found[1] or '- '}[{mark}] {text[found.end() :]}"
    if text[0] == "*" and (found := _ORG.match(text)):
        return f"{'  ' * (len(found[1]) - 1)}- [{_mark(*found.groups()[1:])}] {text[found.end() :]}"
    if text.isascii() and not text[2:].lstrip()[:1].isupper():
        return ""
    if found := _WORD.match(text):
        return f"{found[1]}[{_mark(*found.groups()[1:])}] {text[found.end() :]}"
    return "" if text.isascii() else _of_other_signs(text)


def _of_other_signs(text: str) -> str:
    if found := _KEYCAP.match(text):
        digits = "10" if found[2] == "🔟" else "".join(sign for sign in found[2] if sign.isdigit())
        return f"{found[1]}{digits}. {text[found.end() :]}"
    found = _DIGITS.match(text)
    if found and not found[0].isascii():
        digits = "".join(str(unicodedata.digit(sign)) for sign in found[1])
        return f"{digits}{')' if found[2] in ')）' else '.'} {text[found.end() :]}"
    found = _SIGN.match(text)
    if found and found[1] and (found[2] == "☒" or found[4]):
        return f"{found[1]}[{'x' if found[2] else ' '}] {text[found.end() :]}"
    return ""


def _mark(begun: str | None, ended: str | None, dropped: str | None) -> str:
    marks = (("~", begun), ("x", ended), ("-", dropped))
    return next((mark for mark, is_said in marks if is_said), " ")


def _signs(shown: Sequence[Line]) -> Changes:
    """`✅ Dig` as `- [x] Dig`, in a list of such lines that has open ones or is the whole text.

    `✅ All tests pass` alone is a remark.
    """
    kinds = {line.kind for line in shown}
    alone = LineKind.BULLET not in kinds and sum(line.kind is LineKind.HEADING for line in shown) < 2
    for signed, run in groupby(shown, key=lambda line: line.kind is LineKind.TEXT and line.body[0] in _SIGNS):
        found = [(line, match) for line in run if signed and (match := _SIGN.match(line.body))]
        if len(found) < 2 or not (alone or any(not match[2] for _, match in found)):
            continue
        for line, match in found:
            if match[2] or match[3] or match[4]:
                begun = "~" if match[3] else " "
                mark = "x" if match[2] else begun
                yield line.number, f"{' ' * line.indent}- [{mark}] {line.body[match.end() :]}"


def _counted(shown: Sequence[Line]) -> Changes:
    """`I. Dig`, `II. Pour` as numbered items; `1 Setup`, `1.1 Install`, `1.2 Check` as boxes with a name."""
    for plain, run in groupby(shown, key=lambda line: line.kind is LineKind.TEXT):
        own = list(run) if plain else []
        romans = [(line, match) for line in own if (match := _ROMAN.match(line.body))]
        if len(romans) > 1 and tuple(match[1] for _, match in romans) == _ROMANS[: len(romans)]:
            for number, (line, match) in enumerate(romans, 1):
                yield line.number, f"{' ' * line.indent}{number}. {line.body[match.end() :]}"
            continue
        counted = [(line, match) for line in own if (match := _PARENTHESES.match(line.body))]
        if len(counted) > 1 and [int(match[1]) for _, match in counted] == list(range(1, len(counted) + 1)):
            for line, match in counted:
                yield line.number, f"{' ' * line.indent}{match[1]}. {line.body[match.end() :]}"
            continue
        dotted = [(line, match) for line in own if (match := _PLAIN_NUMBER.match(line.body))]
        if len(dotted) > 2 and _follow([match[1] for _, match in dotted]):
            for line, match in dotted:
                name = match[1] if "." in match[1] else f"{match[1]}."
                yield line.number, f"{' ' * line.indent}- [ ] {name} {line.body[match.end() :]}"


def _unquoted(shown: Sequence[Line]) -> Changes:
    """A list that stands in a quotation, where no other list stands in the text."""
    quoted = [line for line in shown if line.body.startswith(">")]
    if LineKind.BULLET in {line.kind for line in shown} or not any(_QUOTED.match(one.body) for one in quoted):
        return
    for line in quoted:
        yield line.number, line.body[1:].removeprefix(" ")


def _dashed(shown: Sequence[Line]) -> Changes:
    """Lines that begin with one and the same sign of a list that Markdown does not know."""
    for sign, run in groupby(shown, key=lambda line: line.body[0] if line.kind is LineKind.TEXT else ""):
        own = list(run) if sign in _DASHES else []
        found = [(line, match) for line in own if (match := _DASH.match(line.body))]
        for line, match in found:
            if len(found) > 1 or (line.indent and sign in "‣▪▫◦●○"):
                yield line.number, f"{' ' * line.indent}- {line.body[match.end() :]}"


def _spoken(shown: Sequence[Line]) -> Changes:
    """`Step 1 - Dig`, `Step 2 - Pour` as headings; `Day 1: Dig`, `Day 2: Pour` without a list as items."""
    found = [
        (line, match, below is not None and below.kind is LineKind.BULLET)
        for line, below in zip(shown, [*shown[1:], None], strict=True)
        if line.kind is LineKind.TEXT and line.indent == 0 and (match := _SPOKEN.match(line.body))
    ]
    for noun in {match["noun"].lower() for _, match, _ in found}:
        own = [one for one in found if one[1]["noun"].lower() == noun]
        counts = [int(match["number"]) for _, match, _ in own]
        if len(own) < 2 or any(later <= earlier for earlier, later in pairwise(counts)):
            continue
        is_step = noun in ("step", "task")
        for line, _, listed in own:
            if is_step or not listed:
                yield line.number, f"{'###' if is_step else '-'} {line.body}"


def _follow(names: Sequence[str]) -> bool:
    """Whether numbers count on from 1, with parts between them."""
    counted = [list(map(int, name.split("."))) for name in names]
    if counted[0] not in ([1], [1, 1]) or not any("." in name for name in names):
        return False
    return all(later in _next(earlier) for earlier, later in pairwise(counted))


def _next(parts: list[int]) -> list[list[int]]:
    """What may come behind 1.2: its first part 1.2.1, the next 1.3, or 2."""
    return [[*parts, 1], *([*parts[:at], parts[at] + 1] for at in range(len(parts)))]


def _headings(lines: Sequence[Line]) -> Changes:
    """A line that is underlined with `===` or `---`, below a blank line or at the start."""
    for place in range(len(lines) - 1):
        line, below = lines[place], lines[place + 1]
        if (
            below.kind is LineKind.TEXT
            and below.body[0] in "=-"
            and _UNDERLINE.fullmatch(below.body)
            and _is_title(line, below.body)
        ):
            before = lines[place - 1] if place else None
            if before is None or before.kind in (LineKind.BLANK, LineKind.HEADING):
                yield line.number, f"{'#' if below.body[0] == '=' else '##'} {line.raw.strip()}"
                yield below.number, ""


def _is_title(line: Line, underline: str) -> bool:
    """Whether a line may be a heading; a rule below an item or a value of front matter makes it none."""
    if line.indent > 3 or len(line.body) > _LONGEST or "|" in line.body or _UNDERLINE.fullmatch(line.body):
        return False
    if line.kind is LineKind.BULLET:
        return line.raw.strip()[0].isdigit() and abs(len(line.raw.strip()) - len(underline)) <= 2
    plain = line.kind is LineKind.TEXT and not line.body.endswith((".", "!", "?"))
    return plain and not (underline[0] == "-" and _VALUE.match(line.body))
