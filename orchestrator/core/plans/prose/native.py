"""Whether a text is in our own grammar, PLAN.md, and not merely a list with a title."""

import re
from typing import Final

_STRUCTURE: Final = re.compile(
    r"(?im)^#{1,6}[ \t]+(?:\*\*)?(?:batch[ \t]+\d|thread[ \t]+(?:\d|[a-z][ \t]*[:.])"
    r"|lane[ \t]+\S{1,80}[ \t]*:|merge[ -]?point\b|\d{2}-[a-z]|stage definition\b"
    r"|workstream decomposition\b|task dependencies\b)"
    r"|^[ \t]{0,3}(?:\*\*)?WS-[A-Za-z0-9]{1,12}(?:\*\*)?[ \t]*[:–—-]"
)
_GATE: Final = re.compile(
    r"(?im)^#{1,6}[ \t]+(?:\*\*)?(?:[a-z-]{1,20}[ \t]+)?gate(?:[ \t]+\S{1,60})?[ \t]*(?::|$)"
)
_STAGE: Final = re.compile(r"(?im)^#{1,6}[ \t]+(?:\*\*)?stage[ \t]+\d")
_KEYED: Final = re.compile(
    r"[ \t]{0,3}[-*+][ \t]+(?:\[[ xX~!/>?-]?\][ \t]+)?(?:\*\*|__)?(?:(?:Task|ListedStep)[ \t]+)?"
    r"(?:[A-Z]{1,4}\d{1,6}[a-z]?|\d{1,6}(?:\.\d{1,6}){1,4})[ \t]*(?:\*\*|__)?[ \t]*:"
)
_BOX: Final = re.compile(r"(?m)^[ \t]{0,3}(?:[-*+]|\d{1,4}[.)])[ \t]+\[[^\]\n\w]?[xX]?[^\]\n\w]?\][ \t]")
_TASKS: Final = re.compile(
    r"(?mi)^\*\*(?:summary|details|tasks):\*\*|^[ \t]{2,8}[-*+] (?:needs|done when|may add|max attempts):"
)
_ITEM: Final = re.compile(r"([ \t]*)(?:[-*+]|(\d{1,4}[.)]))[ \t]+\S")
#: A heading that is a step itself, so that keyed bullets below it are its criteria.
_STEP_HEADING: Final = re.compile(
    r"(?:#{1,6}[ \t]+(?:\*\*)?|\*\*)(?:(?:task|step|to-?do|ticket|issue|item|work package|(?:user )?story)"
    r"[ \t]*#?[ \t]*\d|[A-Z]{1,6}-?\d{1,6}[ \t]*[:.–—-])",
    re.IGNORECASE,
)
_TASK_HEADING: Final = re.compile(r"(?mi)^#{1,6}[ \t]+(?:task|step|phase)[ \t]+#?\d")


def is_structured(text: str) -> bool:
    """Whether headings stand in it that only our grammar has: batches, threads, gates, lanes.

    A gate alone, among boxes without keys, is one that people write in a list.
    """
    if _STRUCTURE.search(text):
        return True
    if not _GATE.search(text):
        return False
    return bool(_STAGE.search(text) or not _BOX.search(text) or _keyed_steps(text))


def keys_prevail(text: str) -> bool:
    """Whether most of its bullets are steps with a key (`- A1: …`)."""
    keyed = _keyed_steps(text)
    boxes = len(_BOX.findall(text))
    keyed_boxes = sum(1 for mark in keyed if "[" in mark)
    return len(keyed) > boxes - keyed_boxes


def _keyed_steps(text: str) -> list[str]:
    """The starts of the keyed bullets that may be steps.

    One below another item or below the heading of a task says something about that: `- AC1: it works`.
    """
    keyed: list[str] = []
    left, numbered, in_step = -1, False, False
    for line in text.split("\n"):
        item = _ITEM.match(line)
        if item is None:
            if line.startswith(("#", "**")):
                in_step = bool(_STEP_HEADING.match(line))
            if line.strip() and not line[0].isspace():
                left, numbered = -1, False
            continue
        indent = len(item[1].expandtabs(4))
        if left >= 0 and (indent > left + 1 or (numbered and not item[2])):
            continue
        left, numbered = indent, bool(item[2])
        if not in_step and (found := _KEYED.match(line)):
            keyed.append(found[0])
    return keyed


def shows_work(text: str) -> bool:
    """Whether boxes stand in it, or headings that are tasks."""
    return bool(_BOX.search(text) or _TASK_HEADING.search(text))
