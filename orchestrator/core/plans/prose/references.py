"""Dependencies as people write them: `depends on Task 1`, `after T001-T003`, `once the cache is done`."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from orchestrator.core.plans.prose.words import NAME

_PHRASE: Final = (
    r"depend(?:s|ing|ent)?[ \t]+(?:up)?on|depends|dependenc(?:y|ies)|deps?(?=[ \t]*:)|blocked[ \t]+(?:by|on)"
    r"|requires?|needs?|waits?[ \t]+(?:for|on)|after|prerequisites?|runs after|follows"
)
#: The name of a property that says what a step waits for.
PROPERTY: Final = re.compile(
    r"(?:deps?|depends?(?:[ _-]on)?|dependenc(?:y|ies)|blocked[ _-]by|needs|requires|prerequisites?|after"
    r"|waits[ _-]for|predecessors?)",
    re.IGNORECASE,
)
_SAID: Final = re.compile(
    rf"(?<![\w-])(?:{_PHRASE})(?![\w-])[ \t]*:?[ "
    rf"\t]*(?P<rest>[^.;\n]{{1,300}}(?:\.\d[^.;\n]{{0,100}}){{0,20}})",
    re.I,
)
_ONCE: Final = re.compile(
    r"(?<!\w)(?:once|when|as soon as)[ \t]+(?P<rest>.{1,200}?)[ \t]+(?:is|are|has been|have been)[ \t]+"
    r"(?:done|completed?|finished|merged|ready|approved|in place)(?!\w)",
    re.IGNORECASE,
)
_DENIED: Final = re.compile(
    r"(?:\b(?:not|no|never|nor|none|without|independent(?:ly)?|doesn['’]t|don['’]t|isn['’]t|aren['’]t"
    r"|parallel[- ]safe with)\b[^.;]{0,40})\Z",
    re.IGNORECASE,
)
#: What says that nothing is waited for.
NONE: Final = re.compile(
    r"[\W_]*(?:none|nothing|no(?:ne)?[ \t]+(?:dependenc(?:y|ies)|other.*)|no|n/?a|not applicable"
    r"|independent|[-–—]|)[\W_]*(?:\(.*)?",
    re.IGNORECASE | re.DOTALL,
)
_REFERENCE: Final = re.compile(
    rf"(?<![\w./-])(?:(?P<noun>tasks?|steps?|phases?|stages?|items?|work packages?|milestones?|weeks?"
    rf"|sprints?|batch(?:es)?|waves?|parts?|story|stories"
    rf"|#)[ \t]*#?[ \t]*)?(?P<name>{NAME})"
    rf"(?:[ \t]*(?P<to>-|–|—|\.\.|to|through)[ \t]*(?:(?:tasks?|steps?)[ \t]+)?#?(?P<last>{NAME})"
    r"(?![\w/%-]*[\w/%])|(?![\w/%-]*[\w/%]))",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r"\b(?:and|both|all|of|is|are|done|complete)\b|\W", re.IGNORECASE)
_TIGHT: Final = re.compile(
    r"(?<![\w./-])(?P<first>(?P<letters>[A-Z]{1,6})\d{1,6})-(?P<last>(?P=letters)\d{1,6})(?![\w/%-])"
)
_JOINED: Final = re.compile(r"[ \t]*(?:,|\+|&|and|or|,[ \t]*and|/)[ \t]*", re.IGNORECASE)
_SURE: Final = re.compile(r"[A-Z]{1,6}-?\d.*|\d{1,6}(?:\.\d{1,6}){1,4}[a-z]?")
_SUFFIX: Final = re.compile(
    rf"[ \t]*(?:[(\[](?P<in>(?:{_PHRASE})[ \t:]+[^()\[\]]{{1,300}})[)\]]|[,;–—-]?[ \t]+(?P<open>(?:needs"
    rf"|depends on|blocked by|requires)[ \t:]+(?P<names>.{{1,200}})))[ \t]*\Z",
    re.I,
)
_BACKWARD: Final = re.compile(r"(?<=\S)[ \t]+(?:<--?|←)[ \t]*(?P<names>[^<←]{1,200})\Z")
_BEFORE_SUFFIX: Final = " \t([,;–—-"
#: One of these stands in every phrase for a dependency.
_SIGN: Final = re.compile(r"dep|block|requir|need|wait|after|prereq|follow|once|when|as soon", re.IGNORECASE)
#: The same for plain lower case, five times as fast.
_PLAIN_SIGN: Final = re.compile(_SIGN.pattern)
#: No-break spaces count as plain ones, and the text keeps its length.
_SPACES: Final = {0xA0: " ", 0x202F: " ", 0x2007: " "}
#: One of these stands in every name.
_DIGIT: Final = re.compile(r"\d")
LONGEST_RANGE: Final = 500
_LONGEST: Final = 2_000


class Reference(NamedTuple):
    """A name that a text waits for; `noun` is the word in front of it in lower case, empty when there is
    none.
    """

    noun: str
    name: str


def references_in(text: str, *, sure: bool, ends: bool = False) -> list[Reference]:
    """The names in a text, ranges spelled out; with `sure` a bare number needs a noun in front of it.

    With `ends` a range is the two names that are written.
    """
    references: list[Reference] = []
    noun, goes_on = "", False
    for found in _walked(text).names:
        noun = found.noun or (noun if found.joined and goes_on else "")
        goes_on = not sure or bool(noun or _SURE.fullmatch(found.name))
        if goes_on:
            spelled = [found.name, found.last] if ends and found.last else _spelled(found.name, found.last)
            references += [Reference(_singular(noun), one) for one in spelled]
    return list(dict.fromkeys(references))[:LONGEST_RANGE]


class _Named(NamedTuple):
    """A name as it stands in a text, and whether it goes on from the one before: `Task 1, 2 and 3`."""

    noun: str
    name: str
    last: str | None
    joined: bool


class _Walked(NamedTuple):
    """The names of a text, and whether nothing but the words between them stands beside."""

    names: tuple[_Named, ...]
    alone: bool


@lru_cache(maxsize=256)
def _walked(text: str) -> _Walked:
    text = _loosened(text)
    if not _DIGIT.search(text):
        return _Walked((), alone=False)
    names: list[_Named] = []
    alone, end = True, 0
    for found in _REFERENCE.finditer(text):
        between = text[end : found.start()]
        joined = bool(names) and _JOINED.fullmatch(between) is not None
        alone = alone and not _BETWEEN.sub("", between)
        end = found.end()
        names.append(_Named((found["noun"] or "").lower(), found["name"], found["last"], joined))
    return _Walked(tuple(names), alone=alone and bool(names) and not _BETWEEN.sub("", text[end:]))


def said_in(text: str) -> tuple[str, list[str]] | None:
    """What stands in front of the first phrase for a dependency, and what each phrase says; None for none.

    A phrase that is denied (`does not depend on`) says nothing.
    """
    text = _with_spaces(text[:_LONGEST])
    start = _phrase_start(text)
    if start < 0:
        return None
    spoken: list[str] = []
    before: str | None = None
    for pattern in (_SAID, _ONCE):
        for found in pattern.finditer(text, start):
            if _DENIED.search(text[max(0, found.start() - 60) : found.start()]):
                continue
            before = text[: found.start()] if before is None else before
            spoken.append(found["rest"])
    return (before or "", spoken) if spoken else None


def _phrase_start(text: str) -> int:
    """Where the first phrase for a dependency may stand; -1 when there is none, as in most texts."""
    sign = _PLAIN_SIGN.search(text.lower()) if text.isascii() else _SIGN.search(text)
    return max(0, sign.start() - len("runs ")) if sign else -1


def _with_spaces(text: str) -> str:
    return text if text.isascii() else text.translate(_SPACES)


def says_none(text: str) -> bool:
    """Whether a value says that nothing is waited for: `None`, `none (parallel-safe with WP01)`, `–`."""
    return bool(NONE.fullmatch(text[:_LONGEST]))


def split_dependency(title: str) -> tuple[str, str]:
    """`Print it (depends on T001)`, `Sort, needs A1` -> the title, and what it waits for."""
    end = _with_spaces(title[-400:])
    start = _phrase_start(end)
    found = _SUFFIX.search(end, len(end[:start].rstrip(_BEFORE_SUFFIX))) if start >= 0 else None
    if found is None:
        return _split_arrow(title)
    if found["open"] and not only_references(found["names"]):
        return title, ""
    said = said_in(found["in"] or found["open"])
    if said is None or not (references_in(said[1][0], sure=False) or found["in"]):
        return title, ""
    kept = title[: len(title) - len(found[0])].rstrip(" ,;–—-")
    return (kept, ", ".join(said[1])) if kept else (title, "")


def _split_arrow(title: str) -> tuple[str, str]:
    """`Print it <- T001` -> the title, and what it waits for."""
    found = _BACKWARD.search(title[-400:]) if "<-" in title or "←" in title else None
    if found is None or not only_references(found["names"]):
        return title, ""
    return title[: len(title) - len(found[0])].rstrip(), found["names"]


def _loosened(text: str) -> str:
    """`T1-T4` as `T1 - T4`: only where both ends begin alike is the hyphen no part of a name."""
    return _TIGHT.sub(r"\g<first> - \g<last>", text[:_LONGEST]) if "-" in text else text[:_LONGEST]


def only_references(text: str) -> bool:
    """Whether a text holds names of steps and the words between them, and nothing else."""
    return _walked(text).alone


def _singular(noun: str) -> str:
    return {"stories": "story", "batches": "batch", "#": "task"}.get(noun, noun.rstrip("s"))


_TAIL: Final = re.compile(r"(.*?)(\d{1,6})([a-z]?)", re.DOTALL)


def _spelled(first: str, last: str | None) -> list[str]:
    """`T001` to `T003` as three names; what is no range is the two names."""
    if last is None:
        return [first]
    one, other = _TAIL.fullmatch(first), _TAIL.fullmatch(last)
    if one is None or other is None or other[1].upper() not in ("", one[1].upper()) or one[3] or other[3]:
        return [first, last]
    start, end = int(one[2]), int(other[2])
    if not start <= end <= start + LONGEST_RANGE:
        return [first, last]
    return [f"{one[1]}{number:0{len(one[2])}}" for number in range(start, end + 1)]
