"""The front matter of a plan: a small part of YAML, read by hand so that nothing in it can act.

Read are `key: value`, `key: [a, b]`, comments, and the indented `name: value` lines of `parameters:`.
Anchors, aliases, tags, block scalars and everything else are findings.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.engine.budgets import read_budget
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.text.phrases import read_minutes

_PAIR: Final = re.compile(r"([A-Za-z][A-Za-z0-9_. -]{0,59}?)[ \t]*:(?:[ \t]+(.*))?", re.DOTALL)
_QUOTED: Final = (
    re.compile(r'"((?:[^"\\]|\\.)*)"[ \t]*(?:#(.*))?', re.DOTALL),
    re.compile(r"'((?:[^']|'')*)'[ \t]*(?:#(.*))?", re.DOTALL),
)
_COMMENT: Final = re.compile(r"(?:^|[ \t])#")
_PRIORITY: Final = re.compile(r"-?\d{1,6}")
_NAMES: Final = {
    "name": "name",
    "title": "name",
    "domain": "domain",
    "owner": "owner",
    "priority": "priority",
    "repository": "repository",
    "base_branch": "base_branch",
    "parameters": "parameters",
    "needs": "needs",
    "approvers": "approvers",
    "approvals": "approvals",
    "order": "order",
    "verify": "verify",
    "budget": "budget",
    "silence": "silence",
}
#: Names that take several values, on one line or one below the other.
_LISTS: Final = frozenset({"needs", "approvers"})
_KEYS_READ: Final = (
    "name, domain, owner, priority, base_branch, repository, needs, approvers, approvals, order, verify, "
    "budget, silence, parameters"
)
#: The most approvals that a plan or a workflow may ask for.
MOST_APPROVALS: Final = 20
#: What a user name is written with; a plan file's schema asks for the same.
USER_NAME: Final = r"[^\s\u0000,`\"'\[\]#:]{1,150}"
_FIX: Final = "Write one `key: value` on the line; nested lines are read under parameters only."


@dataclass(slots=True)
class FrontMatter:
    """What was given, by name; `lines` is how many lines of the source it takes, `lines_of` where a name
    stands.

    `parameter_lines` says where each parameter stands, `hints` what the comment behind it says.
    """

    lines: int = 0
    values: dict[str, str] = field(default_factory=dict)
    lines_of: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    parameter_lines: dict[str, int] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    priority: int = 0
    by_needs: bool = False
    approvers: tuple[str, ...] = ()
    approvals: int = 0
    budget: str = ""
    silence: str = ""


def read_front_matter(texts: list[str], findings: Findings, first: int = 1) -> FrontMatter:
    """Read the block between two `---` lines at the very start, if there is one.

    Lines are numbered from `first`.
    """
    matter = FrontMatter()
    if not texts or texts[0].rstrip() != "---":
        return matter
    end = next((n for n, text in enumerate(texts[1:], 1) if text.rstrip() in ("---", "...")), 0)
    if not end:
        if len(texts) > 1 and _PAIR.fullmatch(texts[1].strip()):
            findings.add(
                "front-matter",
                first,
                "The front matter is never closed.",
                "End it with a line of three hyphens.",
            )
        return matter
    matter.lines = end + 1
    inside_parameters, foreign = False, False
    for number, text in _joined_lists(texts[1:end], first + 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        nested = text[0] in " \t-"
        if nested and foreign:
            continue
        inside_parameters = _read_line(text, number, inside_parameters, matter, findings)
        pair = _PAIR.fullmatch(text.strip())
        foreign = not nested and pair is not None and _name_of(pair[1]) not in _NAMES.values()
    return matter


def _joined_lists(texts: list[str], first: int) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; the `- item` lines below a key that takes several stand on its line."""
    held: tuple[int, str] | None = None
    items: list[str] = []
    for number, text in enumerate(texts, first):
        item = text.strip()
        if held is not None and item.startswith("- "):
            items.append(item[2:].strip().strip("\"'"))
            continue
        if held is not None:
            yield held[0], f"{held[1]} [{', '.join(items)}]" if items else held[1]
        held, items = None, []
        pair = _PAIR.fullmatch(item) if text[:1] not in (" ", "\t") else None
        if pair and not (pair[2] or "").strip() and _name_of(pair[1]) in _LISTS:
            held = number, text
        else:
            yield number, text
    if held is not None:
        yield held[0], f"{held[1]} [{', '.join(items)}]" if items else held[1]


def _name_of(key: str) -> str:
    """What a key of the front matter means here; empty when it means nothing."""
    return _NAMES.get(key.strip().lower().replace(" ", "_").replace("-", "_"), "")


def _read_line(text: str, number: int, inside: bool, matter: FrontMatter, findings: Findings) -> bool:
    """Read one line; answers whether nested lines after it are parameters."""
    pair = _PAIR.fullmatch(text.strip())
    nested = text[0] in " \t"
    value, comment = _scalar(pair[2] or "") if pair else (None, "")
    foreign = pair is not None and not nested and not _name_of(pair[1])
    if pair is None or (value is None and not (foreign and _is_harmless(pair[2]))) or (nested and not inside):
        findings.add(
            "front-matter", number, f"Line {number} of the front matter is not read: {_short(text)}", _FIX
        )
        return inside and nested
    value = value or ""
    if nested:
        name = pair[1].strip()
        _store(matter.parameters, name, value, number, findings)
        matter.parameter_lines[name], matter.hints[name] = number, comment
        return True
    name = _name_of(pair[1])
    if name == "parameters":
        if value:
            findings.add(
                "front-matter", number, "`parameters` needs its own lines.", "Indent `name: value` below it."
            )
        return True
    if not name:
        message = f"The front matter key “{pair[1].strip()}” means nothing here and is left out."
        findings.add("front-matter-unknown", number, message, f"Known keys are {_KEYS_READ}.")
    elif name in _STORES:
        _STORES[name](matter, value, number, findings)
        matter.lines_of[name] = number
    else:
        _store(matter.values, name, value, number, findings)
        matter.lines_of[name] = number
    return False


def _is_harmless(value: str | None) -> bool:
    """Whether another tool's key holds nothing that YAML would build or multiply (B16, B17)."""
    return (value or "").strip()[:1] not in {"&", "*", "!"}


def _store(into: dict[str, str], name: str, value: str, number: int, findings: Findings) -> None:
    if name in into:
        findings.add("front-matter", number, f"“{name}” is given twice.", "Keep one of the two lines.")
    into[name] = value


def _store_priority(matter: FrontMatter, value: str, number: int, findings: Findings) -> None:
    if _PRIORITY.fullmatch(value):
        matter.priority = int(value)
    else:
        findings.add(
            "front-matter", number, f"Priority is not a whole number: {_short(value)}", "Write 0, 1, 2 …"
        )


def _store_order(matter: FrontMatter, value: str, number: int, findings: Findings) -> None:
    """`dependencies` alone, or `batches`, as without the key."""
    matter.by_needs = value.strip().lower() == "dependencies"
    if not matter.by_needs and value.strip().lower() != "batches":
        message = f"The order is neither batches nor dependencies: {_short(value)}"
        fix = "Write `order: dependencies` if no batches are to be derived, or leave the line out."
        findings.add("front-matter", number, message, fix)


def _store_budget(matter: FrontMatter, value: str, number: int, findings: Findings) -> None:
    try:
        matter.budget = read_budget(value).line
    except InvalidInput as refusal:
        findings.add("front-matter", number, refusal.message, refusal.way_out)


def _store_silence(matter: FrontMatter, value: str, number: int, findings: Findings) -> None:
    matter.silence = silence_of(value)
    if not matter.silence:
        message = f"The silence is no time of whole minutes: {_short(value)}."
        findings.add("front-matter", number, message, "Write `90m`, `4h`, or `none` if nobody is asked.")


def silence_of(text: str) -> str:
    """After how long a person is asked about a silent executor, `90m` or `none`; empty for no time."""
    if text.strip().lower() == "none":
        return "none"
    minutes = read_minutes(text)
    return f"{minutes}m" if minutes else ""


def minutes_of(silence: str) -> int | None:
    """What `silence_of` wrote, in minutes: 0 for `none`, None where nothing was said."""
    if not silence:
        return None
    return 0 if silence == "none" else int(silence[:-1])


def _store_approvals(matter: FrontMatter, value: str, number: int, findings: Findings) -> None:
    if value.isascii() and value.isdecimal() and len(value) < 3 and 1 <= int(value) <= MOST_APPROVALS:
        matter.approvals = int(value)
    else:
        message = f"Approvals is no number from 1 to {MOST_APPROVALS}: {_short(value)}"
        findings.add(
            "front-matter", number, message, "Write how many people have to approve the plan, for example 2."
        )


def _store_approvers(matter: FrontMatter, value: str, number: int, findings: Findings) -> None:
    names = [name.strip() for name in value.split(",") if name.strip()]
    if wrong := next((name for name in names if not re.fullmatch(USER_NAME, name)), ""):
        message = f"“{_short(wrong)}” is no user name."
        findings.add(
            "front-matter",
            number,
            message,
            "Write the names that people sign in with: `approvers: [anna, omar]`.",
        )
    matter.approvers = tuple(dict.fromkeys(name for name in names if re.fullmatch(USER_NAME, name)))


_STORES: Final = {
    "priority": _store_priority,
    "approvals": _store_approvals,
    "approvers": _store_approvers,
    "order": _store_order,
    "budget": _store_budget,
    "silence": _store_silence,
}


def quoted(value: str) -> str:
    """A value as the front matter holds it, whatever characters of one line it has.

    `_scalar` reads it back.
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _scalar(text: str) -> tuple[str | None, str]:
    """A plain, quoted or `[a, b]` value as text, with its comment.

    None for the parts of YAML that are not read.
    """
    text = text.strip()
    if text[:1] in ('"', "'"):
        match = _QUOTED[text[0] == "'"].fullmatch(text)
        if match is None:
            return None, ""
        inside = re.sub(r'\\(["\\])', r"\1", match[1]) if text[0] == '"' else match[1].replace("''", "'")
        return inside, (match[2] or "").strip()
    text, _, comment = text.partition(match[0]) if (match := _COMMENT.search(text)) else (text, "", "")
    text, comment = text.strip(), comment.strip()
    if text[:1] == "[":
        items = ", ".join(item.strip().strip("\"'") for item in text[1:-1].split(","))
        return (items if text[-1] == "]" else None), comment
    return (None if text[:1] in tuple("&*!|>{@`%") and text else text), comment


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 60 else text[:57] + "…"
