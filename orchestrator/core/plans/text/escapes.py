"""Free text inside a plan: a backslash at the start of a line says that the line is text, whatever it
looks like.

Only a backslash before something that would be read as structure counts, so `\\begin{x}` stays as it is.
Lines inside code fences are never touched.
"""

import re
from collections.abc import Callable
from typing import Final

from orchestrator.core.plans.text.phrases import read_keyed, read_label, read_property, split_suffix

_FENCE: Final = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
_MARKED: Final = re.compile(r"([ \t]*)(.*)", re.DOTALL)
_STRUCTURE: Final = re.compile(r"#{1,6}(?:[ \t]|$)|<!--|`{3,}|~{3,}|---+[ \t]*$|\*\*\*+[ \t]*$|___+[ \t]*$")
_BULLET: Final = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+(.*)", re.DOTALL)
_BOX: Final = re.compile(r"\[[^\]\n]{0,3}\]")
_UPDATED: Final = re.compile(r"[*_]?Last updated", re.IGNORECASE)


def escape(text: str) -> list[str]:
    """The lines of a text, with a backslash before those that would not be read as text."""
    lines = text.split("\n")
    closed = _closed_fences(lines)
    return _outside_fences(lines, _escape_line, closed)


def unescape(lines: list[str]) -> list[str]:
    """The lines without those backslashes; the reverse of `escape`."""
    return _outside_fences(lines, _unescape_line, _closed_fences(lines))


def protect_end(text: str) -> str:
    """A name or title whose last bracket would be read as `(needs …)`, `(parallel)` or a note."""
    return f"{text[:-1]}\\)" if text.endswith(")") else text


def protect_title(text: str) -> str:
    """The title of a step; an end that reads as what it needs gets a backslash, which readers take away."""
    if text.endswith(")"):
        return protect_end(text)
    return f"{text}\\" if text.endswith("\\") or split_suffix(text) != (text, [], False) else text


def _escape_line(line: str) -> str:
    indent, body = _MARKED.fullmatch(line).groups()  # type: ignore[union-attr]
    return f"{indent}\\{body}" if _is_structure(body) or _unescape_line(line) != line else line


def _unescape_line(line: str) -> str:
    indent, body = _MARKED.fullmatch(line).groups()  # type: ignore[union-attr]
    rest = body[1:] if body.startswith("\\") else ""
    counts = bool(rest) and (_is_structure(rest) or _unescape_line(rest) != rest)
    return f"{indent}{rest}" if counts else line


def _is_structure(body: str) -> bool:
    """Whether a reader of plans takes the line for more than text."""
    if _STRUCTURE.match(body) or _UPDATED.match(body) or read_label(body) or read_property(body):
        return True
    bullet = _BULLET.fullmatch(body)
    return bool(bullet and (_BOX.match(bullet[1]) or read_property(bullet[1]) or read_keyed(bullet[1])))


def _closed_fences(lines: list[str]) -> dict[int, int]:
    """For each line that opens a code fence the line that closes it.

    A fence that never closes is no fence.
    """
    closed: dict[int, int] = {}
    opening: tuple[int, str] | None = None
    for number, line in enumerate(lines):
        match = _FENCE.fullmatch(line)
        if match is None:
            continue
        if opening is None:
            if not (match[1][0] == "`" and "`" in match[2]):
                opening = (number, match[1])
        elif match[1].startswith(opening[1]) and not match[2].strip():
            closed[opening[0]] = number
            opening = None
    return closed


def _outside_fences(lines: list[str], change: Callable[[str], str], closed: dict[int, int]) -> list[str]:
    changed: list[str] = []
    until = -1
    for number, line in enumerate(lines):
        until = closed.get(number, until) if number > until else until
        changed.append(line if number <= until else change(line))
    return changed
