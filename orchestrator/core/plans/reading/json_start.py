"""Whether a text is meant as JSON: `[x] Buy paint`, `[Spec](s.md)`, `[TOC]` and `{{ project }}` are not.

Broken JSON is JSON, so that its mistake is told with its line (B11).
"""

import re
from typing import Final

from orchestrator.core.plans.reading.json_source import without_comments

_SPACE: Final = " \t\r\n"
_COMMENT: Final = ("//", "/*")
_STRING: Final = r'"(?:[^"\\\n]|\\.){0,4000}"'
#: The first value of a list, and that the list goes on behind it, or ends as the last thing of the text.
_VALUE: Final = re.compile(
    rf"(?:{_STRING}|-?\d[\d.eE+-]{{0,40}}|true|false|null)[ \t\r]*(?:,|\n|\][\],\s]*\Z)"
)
_KEY_ALONE: Final = re.compile(rf"{_STRING}[ \t]*\}}")
_LOOSE_KEY: Final = re.compile(r"'[^'\n]{1,80}'[ \t]*:|[A-Za-z_][\w-]{0,80}[ \t]*:")

_FENCE: Final = re.compile(
    r"(?ms)^[ \t]{0,3}(`{3,}|~{3,})[ \t]*(?:jsonc?|json5|jsonl)?[ \t]*\n(.*?)^[ \t]{0,3}\1[ \t]*$"
)
_ITEM: Final = re.compile(r"(?m)^[ \t]*(?:[-*+]|\d{1,4}[.)])[ \t]+\S")


def unfenced(text: str) -> str:
    """The JSON of a text that has one block of it and no list of its own, on the lines on which it stands.

    Any other text as it is.
    """
    if "```" not in text and "~~~" not in text:
        return text
    blocks = [block for block in _FENCE.finditer(text) if starts_json(block[2])]
    if len(blocks) != 1:
        return text
    start, end = blocks[0].span(2)
    if starts_json(text) or _ITEM.search(text[:start]) or _ITEM.search(text[end:]):
        return text
    return "\n" * text.count("\n", 0, start) + text[start:end]


def starts_json(text: str) -> bool:
    """Whether the text opens as JSON does, even where a mistake further down keeps it from being read."""
    text = text.lstrip("\ufeff" + _SPACE)
    start = without_comments(text).lstrip(_SPACE) if text.startswith(_COMMENT) else text
    if not start.startswith(("{", "[")):
        return False
    first = start.lstrip("[" + _SPACE)
    if first.startswith("{"):
        return _opens_object(first)
    if not first or first.startswith(_COMMENT):
        return True
    return _only_closes(first) or _VALUE.match(first) is not None


def _opens_object(text: str) -> bool:
    """A key without quotes is a mistake of JSON only where the text ends as JSON does."""
    inside = text[1:].lstrip(_SPACE)
    if not inside or inside.startswith(_COMMENT) or _only_closes(inside):
        return True
    if inside.startswith('"'):
        return _KEY_ALONE.match(inside) is None
    return _LOOSE_KEY.match(inside) is not None and text.rstrip(_SPACE + ";").endswith(("}", "]"))


def _only_closes(text: str) -> bool:
    return text.startswith(("]", "}")) and not text.strip("]}," + _SPACE)
