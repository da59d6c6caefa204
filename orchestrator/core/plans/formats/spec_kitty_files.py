"""spec-kitty's folder of work packages, a file each: joined into one text, and that read like one list of
packages.

A package file says in its front matter which package it is, what it depends on and how far it is. In the
joined text these lines become the package's heading and what it waits for, where they stand, so that every
finding keeps its line.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.text.front_matter import read_front_matter
from orchestrator.core.plans.text.lines import LineKind, scan

#: What a front matter of a work package says first or later.
PACKAGE_ID: Final = re.compile(r"(?m)^work_package_id:[ \t]*[\"']?(WP\d{1,4})\b")
_FILE: Final = re.compile(r"<!-- file: (.{1,300}) -->")
_KEY: Final = re.compile(
    r"(title|dependencies|lane|work_package_id)[ \t]*:[ \t]*(.*)", re.IGNORECASE | re.DOTALL
)
_NAME: Final = re.compile(r"\bWP\d{1,4}\b")
_HEADING: Final = re.compile(
    r"#{1,6}[ \t]+(?:work package[ \t:]+)?(WP\d{1,4})\b.*", re.IGNORECASE | re.DOTALL
)
_DEEPEST: Final = 6


def is_package(text: str) -> bool:
    """Whether a file is one work package: its front matter says which."""
    return text.startswith("---") and bool(PACKAGE_ID.search(text[:4_000]))


def as_one_list(texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The lines as one list of packages, and the lane of each package that says one, by its id."""
    lines = list(texts)
    lanes: dict[str, str] = {}
    starts = [number for number, line in enumerate(lines) if _FILE.fullmatch(line)]
    edges = [*([] if starts[:1] == [0] else [-1]), *starts, len(lines)]
    for start, end in pairwise(edges):
        if start >= 0:
            lines[start] = ""
        _package(lines, start + 1, end, lanes)
    return lines, lanes


def _package(lines: list[str], first: int, end: int, lanes: dict[str, str]) -> None:
    """Rewrite one file where it stands; a file that is no package stays as it is."""
    own = lines[first:end]
    while own and not own[0].strip():
        first, own = first + 1, own[1:]
    matter = read_front_matter(own, Findings()).lines
    name = PACKAGE_ID.search("\n".join(own[:matter])) if matter else None
    if name is None:
        return
    said = _said(own[1 : matter - 1])
    lanes[name[1]] = said.get("lane", "")
    waits = ", ".join(_NAME.findall(said.get("dependencies", ""))) or "None"
    lines[first] = f"## {name[1]}: {said.get('title', '').strip(chr(34) + chr(39) + ' ')}".rstrip(": ")
    kept = [line if _KEY.fullmatch(line) is None else "" for line in own[1 : matter - 1]]
    lines[first + 1 : first + matter - 1] = kept
    lines[first + matter - 1] = f"**Dependencies**: {waits}" if "dependencies" in said else ""
    for line in scan(own[matter:], first + matter + 1).lines:
        if line.kind is LineKind.HEADING:
            lines[line.number - 1] = _below(line.raw, line.level, name[1])


def _said(lines: Sequence[str]) -> dict[str, str]:
    """What the front matter says; the items below a key belong to it."""
    said: dict[str, str] = {}
    last = ""
    for line in lines:
        found = _KEY.fullmatch(line)
        if found:
            last = found[1].lower()
            said[last] = found[2].strip()
        elif last and line.strip().startswith("- "):
            said[last] += f" {line.strip()[2:]}"
        else:
            last = ""
    return said


def _below(raw: str, level: int, name: str) -> str:
    """A heading below the package's own; the one that repeats its name is text."""
    heading = _HEADING.fullmatch(raw.strip())
    if heading and heading[1].upper() == name:
        return raw.strip().lstrip("# ")
    return "#" * min(_DEEPEST, level + 2) + raw.strip()[level:]
