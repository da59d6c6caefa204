"""The lines of a text that say that something waits for something, and whether the plan waits so (AD-1)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.core.plans.text.lines import Line, LineKind
from orchestrator.core.plans.work_lines import WorkKind, WorkLine

_PHRASE: Final = (
    r"depend(?:s|ing|ent)?[ \t]+(?:up)?on|deps?(?=[ \t]*:)|blocked[ \t]+(?:by|on)|requires?|needs?"
    r"|waits?[ \t]+(?:for|on)|after"
)
_SAID: Final = re.compile(
    rf"(?<![\w-])(?:{_PHRASE})(?![\w-])[ \t]*:?[ \t]*"
    r"([^.;\n()\[\]]{1,200}(?:\.\d[^.;\n()\[\]]{0,100}){0,20})",
    re.I,
)
#: `once A1 is merged`, `(A1 first)`.
_ONCE: Final = re.compile(
    r"(?<!\w)(?:once|when|as soon as)[ \t]+([^.;\n]{1,200}?)[ \t]+(?:is|are|has been|have been)[ \t]+"
    r"(?:done|completed?|finished|merged|ready|approved|in place)(?!\w)"
    r"|\(([^()\n]{1,80}?)[ \t]+first\)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(
    r"(?:\[[^\]\n]{0,3}\][ \t]*)?(?:\*\*|__|_)?(?:deps?|depends?(?:[ _-]on)?|dependenc(?:y|ies)"
    r"|blocked[ _-]by|needs|waits[ _-]for|predecessors?)(?:\*\*|__)?[ \t]*:(?:\*\*|__)?[ \t]*(.*)",
    re.IGNORECASE | re.DOTALL,
)
_DENIED: Final = re.compile(
    r"(?:\b(?:not|no|never|nor|none|without|independent(?:ly)?|doesn['’]t|don['’]t|isn['’]t|aren['’]t)\b[^.;]{0,40})\Z",
    re.IGNORECASE,
)
_NONE: Final = re.compile(
    r"[\W_]*(?:(?:none|nothing|no|n/?a|independent|not applicable)\b[\W_]*(?:\(.*|dependenc.*)?)?",
    re.I | re.DOTALL,
)
_ENDS: Final = re.compile(r";|\.[ \t]")
#: `Sort the slips (A1, A2)`, `Sort the slips <- A1`: nothing but names at the end of an item.
_KEYS: Final = re.compile(
    r"(?<=\S)[ \t]+(?:\(((?:[A-Z]{1,4}\d{1,6}(?:[ \t]*[,+&][ \t]*)?){1,20})\)"
    r"|(?:<--?|←)[ \t]*([^<←]{1,200}))\Z"
)
_BOX: Final = re.compile(r"\A\[[^\]\n]{0,3}\][ \t]*")
_ARROW: Final = re.compile(r"→|-->|->")
_HINT: Final = re.compile(
    r"dep|block|requir|need|wait|after|predecess|follow|once|when|as soon|first\)|→|->|<-|←"
    r"|\(\w{1,4}\d[^()]*\)\Z",
    re.IGNORECASE,
)
#: The same for plain lower case, five times as fast.
_PLAIN_HINT: Final = re.compile(_HINT.pattern)
_NAME: Final = re.compile(
    r"(?<![\w./-])(?:(?P<noun>tasks?|steps?|#)[ \t]*#?[ \t]*)?"
    r"(?P<name>[A-Z]{1,6}-?\d{1,6}(?:\.\d{1,4}){0,3}[a-z]?|\d{1,6}(?:\.\d{1,6}){0,4}[a-z]?)"
    r"(?:[ \t]*(?:-|–|—|\.\.)[ \t]*#?(?P<last>[A-Z]{0,6}-?\d{1,6}(?:\.\d{1,6}){0,4}[a-z]?))?"
    r"(?![\w/%-]*[\w/%])",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(
    r"\b(?:and|or|both|all|of|is|are|done|complete|finished|can|may|must|should|only|run|start|begin"
    r"|be|in parallel|together)\b|[\W_]",
    re.IGNORECASE,
)
#: One of these stands in every name.
_DIGIT: Final = re.compile(r"\d")
_LONGEST: Final = 2_000
#: How a dependency is said, where that matters: as a property, or as an arrow between names.
LABELLED: Final = "property"
ARROW: Final = "arrow"


def waits_in_markdown(lines: Iterable[Line]) -> Iterator[WorkLine]:
    """The lines that say that something waits, with what stands before the phrase and behind it."""
    for line in lines:
        kind, body = line.kind, line.body
        if kind is LineKind.BLANK or kind is LineKind.CODE:
            continue
        hint = _PLAIN_HINT.search(body.lower()) if body.isascii() else _HINT.search(body)
        if hint and (found := _wait_of(line, hint.start())):
            yield found


def _wait_of(line: Line, start: int) -> WorkLine | None:
    """What a line waits for; no phrase for it stands before `start`."""
    body = line.body[:_LONGEST]
    label = _LABEL.fullmatch(body) if ":" in body else None
    if label:
        said = label[1].strip("*_ ")
        return None if _NONE.fullmatch(said) else WorkLine(line.number, WorkKind.DEPENDENCY, said, LABELLED)
    if line.kind is LineKind.HEADING:
        return None
    arrow = _ARROW.split(body)
    if len(arrow) > 1 and len(body) < 300:
        first = _BOX.sub("", arrow[0])
        return WorkLine(line.number, WorkKind.DEPENDENCY, first, ARROW, " ".join(arrow[1:]))
    for said in _SAID.finditer(body, start):
        if not _DENIED.search(body[max(0, said.start() - 60) : said.start()]) and not _NONE.fullmatch(
            said[1]
        ):
            return WorkLine(line.number, WorkKind.DEPENDENCY, said[1], before=_clause(body[: said.start()]))
    keys = _KEYS.search(body[-300:]) if line.kind is LineKind.BULLET else None
    if keys:
        return WorkLine(line.number, WorkKind.DEPENDENCY, keys[1] or keys[2], before="")
    once = _ONCE.search(body)
    if once is None or _DENIED.search(body[max(0, once.start() - 60) : once.start()]):
        return None
    text = once[1] or once[2]
    return WorkLine(line.number, WorkKind.DEPENDENCY, text, before=_clause(body[: once.start()]))


def _clause(before: str) -> str:
    """What stands before a phrase in the same clause: `no need of A1; requires A2` is not about A1."""
    return _ENDS.split(before)[-1]


def names_in(text: str) -> list[str]:
    """The names of steps in a text, in lower case; a number alone is one where nothing but names stands."""
    found, bare = _walked(text)
    sure = [one for one in found if bare or one["noun"] or not one["name"].isdigit()]
    return [name.lower() for one in sure for name in (one["name"], one["last"]) if name]


def names_only(text: str) -> bool:
    """Whether a text is names of steps and the words between them."""
    return _walked(text)[1]


def _walked(text: str) -> tuple[list[re.Match[str]], bool]:
    """The names, and whether nothing but the words between them stands beside."""
    if not _DIGIT.search(text):
        return [], False
    names: list[re.Match[str]] = []
    alone, end = True, 0
    for found in _NAME.finditer(text):
        alone = alone and not _BETWEEN.sub("", text[end : found.start()])
        end = found.end()
        names.append(found)
    return names, bool(names) and alone and not _BETWEEN.sub("", text[end:])
