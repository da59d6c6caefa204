"""From bytes to the text of a plan: what is not text, or too much of it, is a finding and is never read."""

import re
import unicodedata
from typing import Final

from orchestrator.core import limits
from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import finding

#: Room for 10,000 tasks in the wordiest format; `PLAN_LIMIT` in the settings is the same number.
MAX_BYTES: Final = limits.PLAN_BYTES
MAX_LINES: Final = 160_000
MAX_STEPS: Final = 10_000
_FRONT: Final = re.compile(
    r"(?m)^[ \t\xa0\u202f]{0,40}(?:[-*+]|#{1,6}|\d{1,6}[.)])[ \t\xa0\u202f]{1,8}"
    r"(?:\[[^\]\n]{0,5}\][ \t\xa0\u202f]{0,8})?"
    r"(?:\w{1,12}:?[\xa0\u202f])?"
)
_SPACES: Final = {0xA0: " ", 0x202F: " ", 0x2007: " "}


def decode_source(data: bytes | str) -> str | Finding:
    """The text of a source, or the finding that says why it cannot be read."""
    if len(data) > MAX_BYTES:
        return _too_large()
    try:
        data = data if isinstance(data, bytes) else data.encode()
        text = data.decode("utf-8-sig")
    except UnicodeEncodeError as error:
        return _not_text(error.object[: error.start].count("\n"), "has half a character")
    except UnicodeDecodeError as error:
        return _not_text(error.object[: error.start].count(b"\n"), "is not UTF-8 text")
    if len(data) > MAX_BYTES:
        return _too_large()
    if "\0" in text:
        return _not_text(text[: text.index("\0")].count("\n"), "has a NUL byte: this is not a text file")
    if text.count("\n") + text.count("\r") > MAX_LINES:
        message = f"The plan has more than {MAX_LINES:,} lines."
        return finding("source-too-large", MAX_LINES, message, "Split the work into several plans.")
    return text


def readable(text: str) -> str:
    """The text as readers of other tools' plans take it, line for line: letters composed (NFC), and plain
    spaces for no-break ones in front of a title.
    """
    if text.isascii():
        return text
    return with_plain_spaces(unicodedata.normalize("NFC", text))


def with_plain_spaces(text: str) -> str:
    """The text with plain spaces for the no-break ones that stand in front of a title."""
    if text.isascii():
        return text
    return _FRONT.sub(lambda front: front[0].translate(_SPACES), text)


def _too_large() -> Finding:
    message = f"The plan is larger than {MAX_BYTES // 1024 // 1024} MB, which is the most that is read."
    return finding("source-too-large", 0, message, "Split the work into several plans.")


def _not_text(lines_before: int, what: str) -> Finding:
    line = lines_before + 1
    fix = "Save the plan as UTF-8 text and submit it again."
    return finding("source-not-text", line, f"Line {line} {what}.", fix)


def too_many_steps(count: int) -> Finding:
    """The finding for a plan that is too large for one workflow."""
    message = f"The plan has {count:,} steps; one workflow has at most {MAX_STEPS:,}."
    return finding("too-many-steps", 0, message, "Split the work into several plans.")
