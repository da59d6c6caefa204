"""Whether a text is in our own grammar, PLAN.md, and not merely a list with a title."""

import re
from typing import Final

_STRUCTURE: Final = re.compile(
    r"(?im)^#{1,6}[ \t]+(?:\*\*)?(?:batch[ \t]+\d|thread[ \t]+(?:\d|[a-z][ \t]*[:.])"
    r"|lane[ \t]+\S{1,80}[ \t]*:|merge[ -]?point\b|\d{2}-[a-z]"
    r"|(?:[a-z-]{1,20}[ \t]+)?gate(?:[ \t]+\S{1,60})?[ \t]*(?::|$)|stage definition\b"
    r"|workstream decomposition\b|task dependencies\b)"
    r"|^[ \t]{0,3}(?:\*\*)?WS-[A-Za-z0-9]{1,12}(?:\*\*)?[ \t]*[:–—-]"
)
_KEYED: Final = re.compile(
    r"(?m)^[ \t]{0,3}[-*+][ \t]+(?:\[[ xX~!/>?-]?\][ \t]+)?(?:\*\*|__)?(?:(?:Task|ListedStep)[ \t]+)?"
    r"(?:[A-Z]{1,4}\d{1,6}[a-z]?|\d{1,6}(?:\.\d{1,6}){1,4})[ \t]*(?:\*\*|__)?[ \t]*:"
)
_BOX: Final = re.compile(r"(?m)^[ \t]{0,3}(?:[-*+]|\d{1,4}[.)])[ \t]+\[[^\]\n\w]?[xX]?[^\]\n\w]?\][ \t]")
_TASKS: Final = re.compile(
    r"(?mi)^\*\*(?:summary|details|tasks):\*\*|^[ \t]{2,8}[-*+] (?:needs|done when|may add|max attempts):"
)
_TASK_HEADING: Final = re.compile(r"(?mi)^#{1,6}[ \t]+(?:task|step|phase)[ \t]+#?\d")


def is_structured(text: str) -> bool:
    """Whether headings stand in it that only our grammar has: batches, threads, gates, lanes."""
    return bool(_STRUCTURE.search(text))


def keys_prevail(text: str) -> bool:
    """Whether most of its bullets are steps with a key (`- A1: …`)."""
    keyed = len(_KEYED.findall(text))
    boxes = len(_BOX.findall(text))
    keyed_boxes = sum(1 for found in _KEYED.finditer(text) if "[" in found[0])
    return keyed > boxes - keyed_boxes


def shows_work(text: str) -> bool:
    """Whether boxes stand in it, or headings that are tasks."""
    return bool(_BOX.search(text) or _TASK_HEADING.search(text))
