"""The phrases of a plan: headings that open something, keyed bullets, `(needs …)`, properties and estimates
(BX-8).

Each function looks at one piece of text and answers what it says, or None. Every pattern is bounded or
anchored, so the work is linear in the length of the text.
"""

import re
from dataclasses import dataclass
from typing import Final

from orchestrator.core.plans.text.boxes import BOX

_NUMBER: Final = r"(\d{1,6})(?!\d|\.\d)"
_SEPARATOR: Final = " \t:.-–—"
_STAGE: Final = re.compile(rf"(?:stage|wave)(?:[ \t-]*{_NUMBER}|[ \t]*(?=:))(.*)", re.IGNORECASE | re.DOTALL)
_BATCH: Final = re.compile(rf"batch(?:[ \t]*{_NUMBER}|[ \t]*(?=:))(.*)", re.IGNORECASE | re.DOTALL)
#: `Stage 1.2: name`: a part of its own, in the order in which it stands.
_DECIMAL: Final = re.compile(
    r"(stage|wave|batch)[ \t]*\d{1,6}(?:\.\d{1,6}){1,3}[ \t]*[:.–—-][ \t]*(\S.*)", re.IGNORECASE | re.DOTALL
)
_PREFIXED: Final = re.compile(r"(\d{1,3})-([A-Za-z].*)", re.DOTALL)
_THREAD: Final = re.compile(rf"thread(?:[ \t]*{_NUMBER}|[ \t]*(?=:))(.*)", re.IGNORECASE | re.DOTALL)
#: `Gate: Ship it`, `Gate G1`, `Evaluation gate`, `Release gate R1: Ship it`. The word before it says what it
#: is for; in front of a colon a key may be any word, else it has a number.
_GATE: Final = re.compile(
    r"((?:review|release|evaluation|merge|approval|quality|acceptance|sign-?off)[ \t]+)?gate"
    r"(?:[ \t]+([A-Za-z][\w.-]{0,59}(?=[ \t]*:)|[A-Za-z]{1,8}-?\d{1,6}))?[ \t]*(?::(.*))?",
    re.IGNORECASE | re.DOTALL,
)
_MERGE: Final = re.compile(r"merge[ -]?point\b([^:]*)(?::(.*))?", re.IGNORECASE | re.DOTALL)
_LANE: Final = re.compile(r"(?:\*\*)?WS-([A-Za-z0-9]{1,12})(?:\*\*)?[ \t]*[:–—-](.*)", re.DOTALL)

LANE_KEY: Final = r"[A-Z]{1,4}\d{1,6}[a-z]?"
DOTTED_KEY: Final = r"\d{1,6}(?:\.\d{1,6}){1,4}"
_WORD_KEY: Final = r"[A-Za-z0-9]+(?:(?:[-_]|\.(?!\.))+[A-Za-z0-9]+)*"
_KEYED: Final = re.compile(
    rf"(?P<box>{BOX}[ \t]+)?(?P<bold>\*\*|__)?(?P<prefix>(?:Task|Step)[ \t]+)?"
    rf"(?:(?P<strict>{LANE_KEY}|{DOTTED_KEY})|(?P<free>{_WORD_KEY}))"
    rf"[ \t]*(?:\*\*|__)?[ \t]*:(?:\*\*|__)?(?=[ \t]|$)(?P<title>.*)",
    re.IGNORECASE | re.DOTALL,
)
_DOTTED: Final = re.compile(DOTTED_KEY)
_LANE_OF_KEY: Final = re.compile(r"(?:WS-)?([A-Z]{1,4})-?\d")
_STRICT: Final = re.compile(rf"(?:{LANE_KEY}|{DOTTED_KEY})")
_BOX: Final = re.compile(rf"({BOX})(?:[ \t]+(.*))?", re.DOTALL)
_PROPERTY: Final = re.compile(
    r"(?:\*\*|__)?([A-Za-z][A-Za-z _-]{0,23}?)(?:\*\*|__)?[ \t]*:(?:\*\*|__)?[ \t]*(.*)", re.DOTALL
)
_LABEL: Final = re.compile(r"\*\*(Summary|Details|Tasks|Steps):?\*\*:?(.*)", re.IGNORECASE | re.DOTALL)
_BLANK: Final = r"[ \t\xa0\u202f]"
_SUFFIX_NEEDS: Final = re.compile(
    rf"(?:needs|need|depends{_BLANK}on|requires|after|blocked{_BLANK}(?:on|by))(?:{_BLANK}|:)+(.+)",
    re.IGNORECASE | re.DOTALL,
)
_BRACKETS: Final = {")": "(", "]": "["}
#: `Sort the slips, needs A1`, `Sort the slips <- A1`: at the end of a title, with keys behind it and nothing
#: else.
_SPOKEN_NEEDS: Final = re.compile(
    r"(?:(?:[,;]|[ \t][–—-](?=[ \t]))[ \t]*(?:needs|depends on|blocked by|requires|waits for|after)[ \t:]"
    r"|[ \t](?:<--?|←))[ \t]*([\w., \t&+-]{1,200})\Z",
    re.IGNORECASE,
)
_KEY_SPOKEN: Final = re.compile(rf"{LANE_KEY}|{DOTTED_KEY}")
_LONGEST_SPOKEN: Final = 240
_SPLIT: Final = re.compile(r"[,;+&]|\b(?:and|AND)\b")
_LEADING: Final = re.compile(
    r"(?:(?:when|once|after|all of|all|both|tasks?|steps?|gate|merge point)[ \t]+)+", re.IGNORECASE
)
_TRAILING: Final = re.compile(
    r"[ \t]+(?:is|are|both|all)?[ \t]*(?:completed?|done|finished|approved)\.?\Z", re.I
)
_GROUP: Final = re.compile(r"(batch|stage)[ \t]+(\d{1,6})", re.IGNORECASE)
#: What a key may be: it stands in file names and addresses.
KEY: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,79}")
_TIMES: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)[ \t]*([a-z]*)[ \t]*", re.IGNORECASE)
_MINUTES: Final = {"": 1, "m": 1, "min": 1, "mins": 1, "minute": 1, "minutes": 1}
_HOURS: Final = dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 60)
_DAYS: Final = dict.fromkeys(("d", "day", "days"), 60 * 8)
_UNITS: Final = _MINUTES | _HOURS | _DAYS
MAX_ESTIMATE: Final = 1_000_000
LONGEST_KEY: Final = 120
_MOST_SUFFIXES: Final = 8

#: What may be written -> the property it is.
PROPERTIES: Final = {
    "role": "role",
    "tool": "tool",
    "run": "run",
    "verify": "verify",
    "budget": "budget",
    "files": "files",
    "resources": "resources",
    "parallel": "parallel",
    "entry": "entry",
    "exit": "exit",
    "acceptance": "exit",
    "acceptance criteria": "exit",
    "done when": "done_when",
    "definition of done": "done_when",
    "when": "when",
    "estimate": "estimate",
    "needs": "needs",
    "depends on": "needs",
    "dependencies": "needs",
    "blocked by": "needs",
    "worktree": "worktree",
    "kind": "kind",
    "reviewers": "reviewers",
    "reviewer": "reviewers",
    "trigger": "trigger",
    "action": "action",
    "unlocks": "unlocks",
    "approvals": "approvals",
    "outcomes": "outcomes",
    "max attempts": "max_attempts",
    "may add": "may_add",
    "added by": "added_by",
}
#: What a command may begin with that stands without backticks; other text behind `Verify:` is a remark, as
#: other tools' plans have it.
_COMMANDS: Final = frozenset({"pytest", "ruff", "script", "none"})
#: Words that say what a step waits for where keys stand behind them, and are text otherwise
#: (`Requires: Node 20`).
_NEEDS_OF_KEYS: Final = frozenset({"requires", "prerequisites", "prerequisite", "after", "waits for"})


@dataclass(frozen=True, slots=True)
class Opening:
    """What a heading opens: stage, batch, thread, gate or merge; `number` is -1 when it has none.

    `lane` is the letter of a thread that is lettered instead (`Thread A: ledger`); `kind` the word before
    “gate”.
    """

    what: str
    number: int
    name: str
    note: str = ""
    lane: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A bullet that defines a step. `key` is empty when it has none; `box` is the state in its check box."""

    key: str
    title: str
    box: str
    strict: bool


_LANE_HEADING: Final = re.compile(
    r"lane[ \t]+([a-z0-9][a-z0-9_-]{0,79})[ \t]*:(.*)", re.IGNORECASE | re.DOTALL
)
#: A separator behind the letter tells it from a word of the name (`Thread pool`).
_LETTERED = re.compile(r"thread[ \t]+([a-z])[ \t]*[:.][ \t]*(\S.*)", re.IGNORECASE)


def read_opening(heading: str) -> Opening | None:
    """What a heading opens, whatever its level; None for headings that are only text."""
    text = unmark(heading)
    lettered = _LETTERED.fullmatch(text)
    if lettered:
        return Opening("thread", -1, lettered[2].strip(), lane=lettered[1].upper())
    lane = _LANE_HEADING.fullmatch(text)
    if lane:
        return Opening("thread", -1, _without_note(lane[2].strip())[0], lane=lane[1])
    for what, pattern in (("stage", _STAGE), ("batch", _BATCH), ("thread", _THREAD)):
        match = pattern.fullmatch(text)
        if match:
            name, note = _without_note(match[2].lstrip(_SEPARATOR).strip())
            return Opening(what, int(match[1] or -1), name, note)
    decimal = _DECIMAL.fullmatch(text)
    if decimal:
        what = decimal[1].lower().replace("wave", "stage")
        return Opening(what, -1, _without_note(decimal[2].strip())[0])
    merge = _MERGE.fullmatch(text)
    if merge:
        return Opening("merge", -1, (merge[2] or "").strip(), merge[1].strip(_SEPARATOR))
    gate = _GATE.fullmatch(text)
    if gate and any(part is not None for part in gate.groups()):
        kind = (gate[1] or "").strip()
        name = (gate[3] or "").strip() or (f"{kind} gate".capitalize() if kind else "")
        return Opening("gate", -1, name, gate[2] or "", kind=kind)
    prefixed = _PREFIXED.fullmatch(text)
    return Opening("batch", int(prefixed[1]), prefixed[2].strip()) if prefixed else None


def _without_note(name: str) -> tuple[str, str]:
    """`Setup (Parallel - no dependencies)` -> the name and the note, if it says how to run the batch."""
    if name.endswith(")") and not name.endswith("\\)") and "(" in name:
        start = name.rfind("(")
        note = name[start + 1 : -1].strip()
        if note.lower().startswith(("parallel", "sequential", "blocked", "serial")):
            return name[:start].rstrip(_SEPARATOR), note
    return _without_escape(name), ""


def _without_escape(text: str) -> str:
    """`Pay (parallel\\)` -> `Pay (parallel)`: brackets that belong to the name."""
    return f"{text[:-2]})" if text.endswith("\\)") else text


def read_lane(text: str) -> tuple[str, str] | None:
    """`**WS-A: Auth Service**` -> (`A`, `Auth Service`)."""
    match = _LANE.fullmatch(unmark(text))
    return (match[1], match[2].strip(" \t*")) if match else None


def read_keyed(body: str) -> Keyed | None:
    """A bullet that names a step by key.

    A free key needs a digit, hyphen, dot or underscore, or the word Task.
    """
    found = _KEYED.fullmatch(body) if ":" in body[:LONGEST_KEY] else None
    if not found:
        return None
    key = found["strict"] or found["free"]
    strict = bool(_STRICT.fullmatch(key))
    free = strict or found["prefix"] or (not key.isdigit() and not key.isalpha())
    if not free:
        return None
    sure = strict or bool(found["bold"] or found["prefix"])
    return Keyed(key, found["title"].strip(), (found["box"] or "").strip("[] \t"), sure)


def read_box(body: str) -> tuple[str, str] | None:
    """`[x] text` -> (`x`, `text`); the state is empty for an unchecked box."""
    match = _BOX.fullmatch(body)
    return (match[1].strip("[] \t").lower(), (match[2] or "").strip()) if match else None


def read_property(body: str) -> tuple[str, str] | None:
    """`**Trigger:** A3` -> (`trigger`, `A3`), for known names only."""
    found = _PROPERTY.fullmatch(body) if ":" in body else None
    if not found:
        return None
    words, value = found[1].strip().lower().replace("_", " "), (found[2] or "").strip()
    name = PROPERTIES.get(words)
    if name is None and words in _NEEDS_OF_KEYS and _are_keys(read_names(value)):
        name = "needs"
    if (name == "verify" and not is_command(value)) or (name == "budget" and not value[:1].isdigit()):
        return None
    return (name, value) if name else None


def is_command(text: str) -> bool:
    """`` `pytest -q` `` in backticks whatever it is, or without them where a tool of ours is named first."""
    if len(text) > 2 and text[0] == text[-1] == "`" and "`" not in text[1:-1]:
        return True
    return text.split(" ", 1)[0].lower() in _COMMANDS


def read_label(text: str) -> tuple[str, str] | None:
    """`**Details:** text` -> (`details`, `text`), for the labels of a thread."""
    match = _LABEL.fullmatch(text)
    return (match[1].lower().replace("steps", "tasks"), match[2].strip()) if match else None


def split_suffix(title: str) -> tuple[str, list[str], bool]:
    """`Auth middleware (needs A1, A2) (parallel)` -> the title, the names needed, whether it is parallel."""
    needs: list[str] = []
    parallel = False
    if title.endswith("\\"):
        return title[:-1], needs, parallel
    for _ in range(_MOST_SUFFIXES):
        bracket = _BRACKETS.get(title[-1:], "")
        if not bracket or title[-2:-1] == "\\" or bracket not in title:
            break
        start = title.rfind(bracket)
        inside = title[start + 1 : -1].strip()
        match = _SUFFIX_NEEDS.fullmatch(inside)
        if match:
            needs = read_names(match[1]) + needs
        elif inside.lower() == "parallel":
            parallel = True
        else:
            break
        title = title[:start].rstrip()
    if spoken := _SPOKEN_NEEDS.search(title[-_LONGEST_SPOKEN:]):
        names = read_names(spoken[1])
        if _are_keys(names):
            needs = names + needs
            title = title[: len(title) - len(spoken[0])].rstrip()
    return _without_escape(title), needs, parallel


def _are_keys(names: list[str]) -> bool:
    return bool(names) and all(_KEY_SPOKEN.fullmatch(name) for name in names)


def read_names(text: str) -> list[str]:
    """`A3 + B2 complete` -> `A3`, `B2`: the names in a list, without the words around them."""
    names = (_bare_name(item) for item in dict.fromkeys(_SPLIT.split(unquote(text))))
    return [name for name in names if name and name.lower() not in ("none", "nothing", "-", "–", "—")]


def _bare_name(item: str) -> str:
    item = unmark(item).rstrip(".")
    leading = _LEADING.match(item)
    item = item[leading.end() :] if leading else item
    match = _TRAILING.search(item[-40:])
    if match:
        item = item[: len(item) - len(match[0])]
    return item.strip(" \t`*")


def read_group(name: str) -> tuple[str, int] | None:
    """`Batch 1` -> (`batch`, 1): a name that stands for all steps of a batch or stage."""
    match = _GROUP.fullmatch(name)
    return (match[1].lower(), int(match[2])) if match else None


def looks_like_key(name: str) -> bool:
    """Whether a name can only have been meant as a key: one word with a digit in it."""
    return bool(KEY.fullmatch(name)) and any(char.isdigit() for char in name)


def read_items(text: str) -> tuple[str, ...]:
    """A list of names or paths: what stands in backticks if anything does, otherwise split at commas."""
    pieces = text.split("`")
    items = pieces[1::2] if len(pieces) >= 3 else text.split(",")
    return tuple(item.strip() for item in items if item.strip())


def read_minutes(text: str) -> int | None:
    """`1h 30m`, `2h`, `0.5 days` (of 8 hours), `45` -> minutes; None when it is not an estimate."""
    total, place = 0.0, 0
    text = text.strip().strip("~`")
    for found in _TIMES.finditer(text[:40]):
        unit = _UNITS.get(found[2].lower())
        if found.start() != place or unit is None:
            return None
        total, place = total + float(found[1]) * unit, found.end()
    return round(total) if text and place == len(text) and total <= MAX_ESTIMATE else None


def read_flag(text: str) -> bool | None:
    """`yes` or `no`; None for anything else."""
    return {"yes": True, "true": True, "no": False, "false": False}.get(text.strip().lower())


def lane_of(key: str) -> str:
    """The thread that a key names: `A` of `A3`, `02` of `01.01.02.03`; empty when it names none."""
    if _DOTTED.fullmatch(key):
        parts = key.split(".")
        return parts[2].zfill(2) if len(parts) > 3 else ""
    match = _LANE_OF_KEY.match(key)
    return match[1] if match else ""


def unmark(text: str) -> str:
    """Text without the one pair of bold, italic or code marks around all of it."""
    text = text.strip()
    if text[:1] not in ("*", "_", "`"):
        return text
    for mark in ("**", "__", "`", "*"):
        inner = text[len(mark) : -len(mark)]
        if inner and text.startswith(mark) and text.endswith(mark) and mark not in inner:
            return inner.strip()
    return text


def unquote(text: str) -> str:
    return text.replace("`", " ").strip()
