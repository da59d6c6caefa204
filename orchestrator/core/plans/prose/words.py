"""What headings and labels of a plan in prose say: what is a step, a group of steps, a criterion or text."""

import re
from enum import Enum
from typing import Final, NamedTuple

from orchestrator.core.plans.text.phrases import unmark

#: What a text calls a step: `1.2`, `T001`, `WP03`, `A1`, `ABC-12`.
NAME: Final = r"\d{1,6}(?:\.\d{1,6}){0,4}[a-z]?|[A-Z]{1,6}-?\d{1,6}(?:\.\d{1,4}){0,3}[a-z]?"
_STEP_NOUNS: Final = r"tasks?|steps?|to-?do|tickets?|issue|items?|action|change|work item|work package"
_GROUP_NOUNS: Final = (
    r"phase|stage|milestone|sprint|week|day|month|quarter|wave|part|iteration|epic|batch|track|cycle|round"
    r"|section|level|increment|release|user story|story|module"
)
_NOUN: Final = re.compile(
    rf"(?P<noun>{_STEP_NOUNS}|{_GROUP_NOUNS})(?:[ \t]+#?[ \t]*|#?(?=\d))(?P<name>{NAME}|[A-Z]"
    rf"|[IVX]{{1,5}})(?![\w.]*\w)"
    r"[ \t]*(?:[:.)–—-]+[ \t]*|(?=[(\[])|\Z|[ \t](?=\S))(?P<title>.*)",
    re.IGNORECASE | re.DOTALL,
)
_STEP: Final = re.compile(_STEP_NOUNS, re.IGNORECASE)
_NUMBERED: Final = re.compile(
    r"(?P<name>\d{1,6}(?:\.\d{1,6}){0,4})(?:[.):][ \t]*|[ \t]*[–—-][ \t]+|[ \t]+)(?P<title>\D.*)", re.DOTALL
)
#: A name in front of a title. One letter with digits needs a separator: `S3 bucket` is no name.
_NAMED: Final = re.compile(
    r"(?P<name>T\d{3,9}[a-z]?|WP\d{1,4}|[A-Z]{2,6}-\d{1,6}|\d{1,6}(?:\.\d{1,6}){1,4}[a-z]?)(?:[.:)][ \t]*"
    r"|[ \t]+)(?P<title>\S.*)"
    rf"|(?P<word>{NAME})(?:[ \t]*:[ \t]*|\.[ \t]+|\)[ \t]+|[ \t]+[–—-][ \t]+)(?P<rest>\S.*)",
    re.DOTALL,
)
_LOOSE: Final = re.compile(r"(?P<name>[A-Z]{1,3}\d{1,4})[ \t]+(?P<title>\S.*)", re.DOTALL)
#: `[ENG-101] Sum`, `[ENG-101](https://…) Sum`, `#12 Sum`: the name that a tracker gave it.
_LINKED_NAME: Final = re.compile(
    r"(?:\[(?P<key>[A-Z]{1,10}-\d{1,6})\]|\[?#(?P<number>\d{1,6})\]?)(?:\([^()\s]{1,300}\))?"
    r"[ \t]*[:–—-]?[ \t]+(?P<title>\S.*)",
    re.DOTALL,
)
_LETTER: Final = re.compile(r"\(?(?P<name>[A-Za-z])[.)][ \t]+(?P<title>\S.*)", re.DOTALL)
#: A heading at which somebody signs: `Approval gate`, `Gate: Ship it`.
_GATE: Final = re.compile(
    r"(?:(?:review|release|evaluation|approval|quality|acceptance|sign-?off|decision)[ \t]+)?gate"
    r"(?:[ \t]*:[ \t]*(?P<title>.*))?",
    re.IGNORECASE | re.DOTALL,
)
GATE: Final = "gate"
_TASK_LABEL: Final = re.compile(r"(?:task|step|todo)[ \t]*:[ \t]*(\S.*)", re.IGNORECASE | re.DOTALL)
_DECORATION: Final = " \t:–—-"

_TEXT: Final = re.compile(
    r"(?:the )?(?:context|background|overview|goals?|objectives?|summary|executive summary|introduction"
    r"|about|motivation"
    r"|problem(?: statement)?|current state(?: analysis)?|desired end state|key discoveries|approach"
    r"|architecture|design"
    r"|technical (?:context|design|approach|details|notes|considerations)|tech stack|technology stack"
    r"|solution|rationale"
    r"|implementation approach|(?:critical |key |relevant |affected |modified |new )?files?(?: .*)?"
    r"|file (?:structure|changes|list).*"
    r"|(?:project|folder|directory|source) structure.*|verification(?: .*)?|validation(?: .*)?"
    r"|testing(?: .*)?|test (?:plan|strategy|cases|scenarios).*"
    r"|(?:success|acceptance|exit|completion) (?:criteria|metrics).*|definition of done|notes?|remarks"
    r"|risks?(?: .*)?|references?|resources|links"
    r"|(?:out of|in) scope.*|scope|non-?goals?|what we'?re not doing|dependencies.*|dependency (?:graph"
    r"|order|notes).*|requirements?"
    r"|(?:functional|non-functional) requirements|assumptions?|constraints?|prerequisites?"
    r"|decisions?(?: .*)?|open questions|questions"
    r"|(?:rollback|roll-back|migration|deployment) (?:plan|strategy|notes)|timeline|schedule|appendix.*"
    r"|legend|glossary|conventions|format.*"
    r"|alternatives?(?: .*)?|trade-?offs?|performance(?: considerations)?|security(?: considerations)?"
    r"|metrics|estimates?|team|stakeholders"
    r"|parallel (?:opportunities|example|execution).*|execution order.*|(?:self-)?review(?: .*)?"
    r"|change ?log|history|status|progress|data model|usage|examples?"
    r"|user stories|consequences|pros|cons|edge cases"
    r"|expected (?:outcome|result|behaviou?r)s?|benefits|impact|deliverables"
    r"|how it works|limitations)",
    re.IGNORECASE,
)
_WORK: Final = re.compile(
    r"(?:the |my |our )?(?:(?:implementation|development|execution|project|action|work|task|migration"
    r"|delivery|build|refactoring|detailed|proposed)[ \t]+)?"
    r"(?:tasks?|task list|steps?|plan|to-?dos?|to do(?: list)?|checklist|actions?|action items|items|work"
    r"|work breakdown(?: structure)?|breakdown"
    r"|next steps|changes|changes required|required changes|roadmap|phases|stages|milestones|order"
    r"|sequence|work items|backlog|procedure|jobs"
    r"|work packages|implementation|remaining work|what to do)(?: \(.*\))?",
    re.IGNORECASE,
)
_CRITERIA: Final = re.compile(
    r"(?:success|acceptance|exit|completion)[ \t]*criteria.*|acceptance|acceptance tests?"
    r"|definition of done|done when|verification.*"
    r"|(?:automated|manual|human)[ \t]+(?:verification|testing|checks?|tests?).*",
    re.IGNORECASE,
)
#: Sections whose boxes are no work, whatever stands in them.
_NEVER: Final = re.compile(
    r"(?:open )?questions|legend|glossary|conventions|format.*|notes?|remarks|references?|resources|links"
    r"|status|progress|history|change ?log"
    r"|(?:out of|in) scope.*|scope|non-?goals?|what we'?re not doing|risks?(?: .*)?|assumptions?"
    r"|examples?|usage|parallel .*|dependencies.*",
    re.IGNORECASE,
)
_MANUAL: Final = re.compile(r"(?:manual|human)[ \t]+(?:verification|testing|checks?|tests?).*", re.IGNORECASE)
_STATE_AT_END: Final = re.compile(
    r"[ \t]*(?:[-–—:][ \t]*)?(?:(✅|✓|✔|☑)\ufe0f?[ \t]*(?:completed?|done)?|(🔄|🚧|🔧"
    r"|⏳)\ufe0f?[ \t]*(?:in progress|wip)?"
    r"|[\[(](completed?|done)[\])]|[\[(](in progress|wip)[\])])[ \t]*\Z",
    re.IGNORECASE,
)
#: Headings of a board that say how far what stands below them is.
_BOARD: Final = re.compile(
    r"(?P<done>done|completed|finished)|doing|in progress|wip|work in progress", re.IGNORECASE
)
_SYMBOLS: Final = re.compile(r"\A(?:[^\w\s\x00-\x7f]\ufe0f?[ \t]*)+(?=\w)")
_STATE_AT_START: Final = re.compile(r"(?:(✅|✓|✔|☑)|(🔄|🚧|⏳|🏗)|(⬜|☐|🔲|◻))\ufe0f?[ \t]+")


class Meaning(Enum):
    """What a heading stands for; `OTHER` says nothing by its words."""

    STEP = "step"
    GROUP = "group"
    WORK = "work"
    CRITERIA = "criteria"
    TEXT = "text"
    NUMBERED = "numbered"
    OTHER = "other"


class Heading(NamedTuple):
    """What a heading says: its role, the noun and the name in front, the title, and a state behind it."""

    role: Meaning
    noun: str
    name: str
    title: str
    mark: str


_ROLES: Final = ((Meaning.CRITERIA, _CRITERIA), (Meaning.WORK, _WORK), (Meaning.TEXT, _TEXT))
#: The same for plain lower case, several times as fast.
_SPOKEN_ROLES: Final = tuple((role, re.compile(pattern.pattern)) for role, pattern in _ROLES)


def read_heading(text: str) -> Heading:
    """Sort a heading by its words."""
    mark, text = split_state(bare(text))
    text = text if text.isascii() else _SYMBOLS.sub("", text) or text
    noun = _NOUN.fullmatch(text)
    if noun:
        role = Meaning.STEP if _STEP.fullmatch(noun["noun"]) else Meaning.GROUP
        return Heading(role, noun["noun"].lower(), noun["name"], bare(noun["title"]) or text, mark)
    if gate := _GATE.fullmatch(text):
        return Heading(Meaning.STEP, GATE, "", bare(gate["title"] or "") or text, mark)
    words = text.rstrip(":").strip()
    numbered = _NUMBERED.fullmatch(text)
    name, title = (numbered["name"], bare(numbered["title"])) if numbered else ("", text)
    plain = title.rstrip(":").strip() if numbered else words
    if board := _BOARD.fullmatch(plain):
        return Heading(Meaning.WORK, "", name, title, "x" if board["done"] else "~")
    for role, pattern in _SPOKEN_ROLES if plain.isascii() else _ROLES:
        if pattern.fullmatch(plain[:200].lower()):
            return Heading(role, "", name, title, mark)
    if numbered:
        return Heading(Meaning.NUMBERED, "", name, title, mark)
    named = split_name(text)
    return Heading(Meaning.STEP if named[0] else Meaning.OTHER, "", named[0], bare(named[1]), mark)


def is_manual(text: str) -> bool:
    return bool(_MANUAL.fullmatch(bare(text).rstrip(":").strip()[:200]))


def holds_no_work(text: str) -> bool:
    """Whether boxes below such a heading are no steps: questions, legends, notes."""
    return bool(_NEVER.fullmatch(bare(text).rstrip(":").strip()[:200]))


def is_criteria(text: str) -> bool:
    return bool(_CRITERIA.fullmatch(bare(text).rstrip(":").strip()[:200]))


def split_name(text: str) -> tuple[str, str]:
    """`T001: title`, `Task 3 - title`, `1.2 title` -> name and title; the name may be empty."""
    linked = _LINKED_NAME.fullmatch(text) if text[:1] in ("[", "#") else None
    if linked:
        return (linked["key"] or linked["number"]), linked["title"].strip()
    noun = _NOUN.fullmatch(text)
    if noun and _STEP.fullmatch(noun["noun"]) and noun["title"].strip():
        return noun["name"], noun["title"].strip()
    label = _TASK_LABEL.fullmatch(text) if ":" in text else None
    if label:
        return "", label[1].strip()
    named = _NAMED.fullmatch(text)
    if named is None:
        return "", text
    return (named["name"] or named["word"]), (named["title"] or named["rest"]).strip()


def split_loose_name(text: str) -> tuple[str, str]:
    """`A2 Show the sum` -> (`A2`, `Show the sum`): a name only where others of its kind are."""
    loose = _LOOSE.fullmatch(text)
    return (loose["name"], loose["title"].strip()) if loose else ("", text)


def split_letter(text: str) -> tuple[str, str]:
    """`b) Pour` -> (`b`, `Pour`): a name only where the steps before it are a letter each, too."""
    lettered = _LETTER.fullmatch(text)
    return (lettered["name"], lettered["title"].strip()) if lettered else ("", text)


def split_state(text: str) -> tuple[str, str]:
    """The state that an emoji or a word in brackets says, as a mark, and the text without it."""
    if text.isascii() and not text.rstrip().endswith((")", "]")):
        return "", text
    start = _STATE_AT_START.match(text)
    if start:
        begun = "~" if start[2] else ""
        return "x" if start[1] else begun, text[start.end() :].strip()
    end = _STATE_AT_END.search(text[-60:])
    if end is None:
        return "", text
    mark = "x" if end[1] or end[3] else "~"
    return mark, text[: len(text) - len(end[0])].strip()


def bare(text: str) -> str:
    """A text without marks for bold and struck words and separators around all of it."""
    text = text.replace("**", "")
    return unmark(text.replace("~~", "") if "~~" in text else text).strip(_DECORATION)
