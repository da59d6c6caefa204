"""JSON that other tools wrote: read leniently, with findings for what is odd, never with an exception.

Requirements: B11 to B14.
"""

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import replace
from math import isfinite
from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.text.titles import LONGEST_TITLE as LONGEST_TITLE

#: Levels of nesting that are read; real plans need fewer than ten.
DEEPEST: Final = 64
#: Values that hold others; a tuple, because it is asked for every value of a file and a union takes longer.
NESTED: Final = (dict, list)
LONGEST_NAME: Final = 200
LONGEST_AGENT: Final = 150
_VALUE: Final = r'"\s{0,20}:\s{0,20}("(?:[^"\\\n]|\\.){0,2000}"|-?\d{1,30}(?:\.\d{1,30})?)'


def without_comments(text: str) -> str:
    """The text with comments in front of its first value as blank lines, so that lines stay what they are."""
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        start, end = text[place : place + 2], ""
        if start == "/*":
            end = "*/"
        elif start == "//" or start[0] == "#":
            end = "\n"
        close = text.find(end, place + 1) if end else -1
        if close < 0:
            break
        place = close + len(end)
    if text[place : place + 1] not in ("{", "["):
        return text
    return "\n" * text.count("\n", 0, place) + text[place:]


class Loader:
    """Loads JSON texts one after the other.

    To make a decoder takes longer than to decode a line of a JSONL file.
    """

    def __init__(self) -> None:
        self._odd: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._members,
            parse_constant=lambda name: self._odd.append(f"the value {name}"),
            parse_int=_integer,
            parse_float=self._number,
        )

    def load(self, text: str, findings: Findings) -> Any:
        """The value of a JSON text, or None with a finding that names the line."""
        self._odd.clear()
        try:
            value = self._decoder.decode(without_comments(text.removeprefix("\ufeff")))
        except json.JSONDecodeError as error:
            findings.add(
                "not-json", error.lineno, f"This is not JSON: {error.msg}.", "Correct the file at this line."
            )
            return None
        except RecursionError:
            findings.add("not-json", 0, "The JSON is nested too deeply to be read.", "Flatten it.")
            return None
        except ValueError:
            findings.add(
                "not-json", 0, "The JSON holds a number that cannot be read.", "Write a shorter number."
            )
            return None
        for what in dict.fromkeys(self._odd):
            findings.add("odd-json", 0, f"The file has {what}.", "Correct the file.")
        if _too_deep(value):
            findings.add("not-json", 0, f"The JSON is nested deeper than {DEEPEST} levels.", "Flatten it.")
            return None
        return value

    def load_line(self, text: str, findings: Findings, number: int) -> Any:
        """The value of one line of a JSONL file, or None; what is odd in it is told with the line."""
        own = Findings()
        value = self.load(text, own)
        findings.extend(replace(found, line=number) for found in own.all() if found.code == "odd-json")
        return value

    def _members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs) and len(self._odd) < DEEPEST:
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self._odd.append(
                        f"the key “{plain(key)[:60]}” twice in one object, of which the last counts"
                    )
                seen.add(key)
        return members

    def _number(self, digits: str) -> float | None:
        value = float(digits[:60])
        if isfinite(value):
            return value
        self._odd.append("a number that is too large")
        return None


def load(text: str, findings: Findings) -> Any:
    """The value of one JSON text, or None with a finding that names the line."""
    return Loader().load(text, findings)


def load_any(text: str, findings: Findings) -> Any:
    """The value of a JSON text; of JSON Lines the list of their objects."""
    own = Findings()
    value = load(text, own)
    if value is None and (rows := load_lines(text)):
        return rows
    findings.extend(own.all())
    return value


def load_lines(text: str) -> list[dict[str, Any]]:
    """The objects of a text that has one on every line; none when a line holds anything else."""
    lines = [line for line in text.removeprefix("\ufeff").split("\n") if line.strip()]
    loader, rows = Loader(), list[dict[str, Any]]()
    for line in lines if len(lines) > 1 else ():
        value = loader.load(line, Findings()) if line.lstrip().startswith("{") else None
        if not isinstance(value, dict):
            return []
        rows.append(value)
    return rows


def _integer(digits: str) -> int:
    """Whole numbers are ids and priorities here; more digits than any of them has mean nothing."""
    return int(digits[:30])


def _too_deep(value: Any) -> bool:
    rest = [(value, 1)] if isinstance(value, NESTED) else []
    while rest:
        one, depth = rest.pop()
        if depth > DEEPEST:
            return True
        inside = one.values() if isinstance(one, dict) else one
        rest += [(item, depth + 1) for item in inside if isinstance(item, NESTED)]
    return False


def plain(value: Any) -> str:
    """Text as it may be stored and shown: no NUL, no half characters.

    Numbers as written, everything else as JSON.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False) if isinstance(value, (*NESTED, bool)) else str(value)
    text: str = value.replace("\0", "")
    return (text if text.isascii() else text.encode("utf-8", "replace").decode()).strip()


def one_line(value: Any, most: int) -> str:
    """A text in one line of at most so many characters, as titles and names are."""
    return " ".join(plain(value).split())[:most].strip()


def name_of(value: Any) -> str:
    """A name as headings carry one: without separators in front of it; empty when nothing else is there."""
    return one_line(value, LONGEST_NAME).lstrip(" :.-–—")


def listed(value: Any) -> list[Any]:
    """A list as it is; a single value as a list of one; nothing as an empty list."""
    if isinstance(value, list):
        return value
    return [] if value in (None, "") else [value]


def member(value: Any, name: str) -> dict[str, Any]:
    """The object under a name, or an empty one."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


class Lines:
    """The line on which each id stands, or each value under other names, in the order of the file.

    Those that stand several times are taken in turn.
    """

    def __init__(self, text: str, names: Iterable[str] = ("id",)) -> None:
        pattern = re.compile(f'"(?:{"|".join(map(re.escape, names))}){_VALUE}')
        self._lines: dict[str, deque[int]] = defaultdict(deque)
        line, last = 1, 0
        for found in pattern.finditer(text):
            line += text.count("\n", last, found.start())
            last = found.start()
            self._lines[_unquoted(found[1])].append(line)

    def take(self, value: Any) -> int:
        """The 1-based line of the next object with this id; 0 when it is not found."""
        waiting = self._lines.get(plain(value))
        return waiting.popleft() if waiting else 0


def _unquoted(literal: str) -> str:
    if "\\" not in literal:
        return literal.strip('"')
    try:
        return plain(json.loads(literal))
    except ValueError:
        return literal.strip('"')
